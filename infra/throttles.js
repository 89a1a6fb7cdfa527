'use strict';

const limit = (perSecond) => ({
  ThrottlingRateLimit: perSecond,
  ThrottlingBurstLimit: 2 * perSecond,
});

/**
 * Limits how many requests per second the API's stage lets through.
 *
 * Each public route has a limit of its own: anybody can call it in a loop, and the docs page is half
 * a megabyte. CloudFormation rejects settings of a route that doesn't exist yet.
 */
module.exports = (template, stage) => {
  const routes = template.publicRoutes;
  stage.DependsOn = [...[stage.DependsOn ?? []].flat(), ...routes.map(({ id }) => id)];
  stage.Properties.DefaultRouteSettings = limit(200);
  stage.Properties.RouteSettings = Object.fromEntries(routes.map(({ key }) => [key, limit(10)]));
};
