'use strict';

/** What the parameter desk adds: a function that serves the page; it calls nothing itself. */
module.exports = ({ tokenInLink, clientId, scope, issuer, audience, origin }) => ({
  functions: {
    desk: {
      handler: 'orders.functions.desk.handler',
      environment: {
        ...(tokenInLink && { DESK_TOKEN_IN_LINK: 'true' }),
        ...(clientId && {
          DESK_CLIENT_ID: clientId,
          DESK_SCOPE: scope,
          DESK_ISSUER: issuer,
          ...(audience && { DESK_AUDIENCE: audience }),
          ...(origin && { DESK_SIGN_IN_ORIGIN: origin }),
        }),
      },
      iamRoleStatements: [],
      events: ['GET', 'HEAD'].map((method) => ({ httpApi: { method, path: '/desk' } })),
    },
  },
});

/** The two functions that tell which routes there are. */
module.exports.without = {
  functions: Object.fromEntries(
    ['api-docs', 'not-found'].map((name) => [name, { environment: { DESK: 'false' } }])
  ),
};
