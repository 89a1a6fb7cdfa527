'use strict';

const { publicRoutes, routeLogicalId } = require('./functions');

/**
 * How many requests a second the API lets through, as an extension of its stage.
 *
 * A public route has a limit of its own: anybody can call it in a loop, and the docs page is half
 * a megabyte. CloudFormation refuses settings of a route that doesn't exist yet.
 */
module.exports = async ({ resolveVariable }) => {
  const routes = await publicRoutes(resolveVariable);
  const limit = (perSecond) => ({
    ThrottlingRateLimit: perSecond,
    ThrottlingBurstLimit: 2 * perSecond,
  });
  return {
    DependsOn: routes.map(routeLogicalId),
    Properties: {
      DefaultRouteSettings: limit(200),
      RouteSettings: Object.fromEntries(routes.map((route) => [route, limit(10)])),
    },
  };
};
