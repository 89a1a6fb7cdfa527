'use strict';

/** What the other files derive from the functions' own: names, triggers, public routes. */

async function httpFunctions(resolveVariable) {
  return resolveVariable('file(./infra/http-functions.yml)');
}

async function backgroundFunctions(resolveVariable) {
  return resolveVariable('file(./infra/background-functions.yml)');
}

async function functionNames(resolveVariable) {
  const parts = [await httpFunctions(resolveVariable), await backgroundFunctions(resolveVariable)];
  return parts.flatMap((part) => Object.keys(part));
}

/** The functions that a trigger of this kind starts: `stream`, `sqs` or `schedule`. */
async function functionsStartedBy(kind, resolveVariable) {
  return Object.entries(await backgroundFunctions(resolveVariable))
    .filter(([, { events }]) => events.some((event) => kind in event))
    .map(([name]) => name);
}

/** The keys of the routes that ask for no token, such as `GET /health` or `$default`. */
async function publicRoutes(resolveVariable) {
  return Object.values(await httpFunctions(resolveVariable))
    .flatMap(({ events }) => events)
    .map(({ httpApi }) => httpApi)
    .filter((route) => typeof route === 'string' || !route.authorizer)
    .map((route) => (typeof route === 'string' ? route : `${route.method} ${route.path}`))
    .map((route) => (route === '*' ? '$default' : route));
}

/** As the framework names it: `create-order` is `CreateDashorderLambdaFunction`. */
function logicalId(name) {
  return `${normalized(name)}LambdaFunction`;
}

/** As the framework names it: `GET /openapi.json` is `HttpApiRouteGetOpenapijson`. */
function routeLogicalId(key) {
  if (key === '$default') return 'HttpApiRouteDefault';
  const parts = key.toLowerCase().split('/');
  return `HttpApiRoute${parts.map((part) => normalized(part.replace(/[^a-z0-9-]/g, ''))).join('')}`;
}

function normalized(name) {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`.replace(/-/g, 'Dash');
}

module.exports = { functionNames, functionsStartedBy, logicalId, publicRoutes, routeLogicalId };
