'use strict';

/** The names of the functions in serverless.yml, and of their resources in the template. */

const STREAM_CONSUMERS = ['publish-order-events'];

async function functionNames(resolveVariable) {
  const parts = await Promise.all(
    ['http-functions.yml', 'background-functions.yml'].map((file) =>
      resolveVariable(`file(./infra/${file})`)
    )
  );
  return parts.flatMap((part) => Object.keys(part));
}

/** As the framework names it: `create-order` is `CreateDashorderLambdaFunction`. */
function logicalId(name) {
  const normalized = name.replace(/-/g, 'Dash');
  return `${normalized[0].toUpperCase()}${normalized.slice(1)}LambdaFunction`;
}

module.exports = { STREAM_CONSUMERS, functionNames, logicalId };
