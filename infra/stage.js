'use strict';

const { spawnSync } = require('child_process');
const desk = require('./desk');
const eventsTopic = require('./events-topic');

/**
 * What follows from the stage's name and parameters: names, protection, the token issuer, CORS,
 * and the version that is deployed.
 *
 * Parameters come from `params` in serverless.yml or `--param="name=value"`; the issuer and the
 * audience also from JWT_ISSUER and JWT_AUDIENCE. Two stages are for this machine only and have
 * stand-in issuers: `local`, the emulated AWS, and `offline`, for serverless-offline. Neither can
 * be a production stage, and infra/safeguards.js keeps both off AWS.
 */

const LOCAL = 'local';
const LOCAL_API_ID = '0bde5000';
const OFFLINE = 'offline';
const INDEX = 'gsi1';
/** What fits five times into a function's environment of 4 KB, with the rest. */
const TEXT_BYTES = 512;
/** API Gateway's quota for one authorizer. */
const AUDIENCES = 50;
/** A managed policy of an account, by its name or its ARN. */
const POLICY = /^(arn:aws[a-z-]*:iam::\d{12}:policy\/([\w+=,.@-]+\/)*)?[\w+=,.@-]{1,128}$/;
/** One of the words of a scope (RFC 6749, 3.3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Headers that the functions read; a browser may send them across origins. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
];
const RESPONSE_HEADERS = [
  'ETag',
  'Location',
  'Link',
  'Idempotent-Replayed',
  'X-Request-Id',
  'Retry-After',
];

module.exports = async ({ options, resolveConfigurationProperty, resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const param = (name) => resolveVariable(`param:${name}, ''`);
  requireKnownParameters(await resolveConfigurationProperty(['params']), options.param ?? []);
  const productionStages = await resolveVariable('self:custom.productionStages');
  if (!Array.isArray(productionStages)) {
    throw refusal(`"productionStages" is a list such as [prod], not "${productionStages}".`);
  }
  for (const stageOfThisMachine of [LOCAL, OFFLINE]) {
    if (productionStages.includes(stageOfThisMachine)) {
      throw refusal(`"${stageOfThisMachine}" has a stand-in issuer: no production stage.`);
    }
  }
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) {
    throw refusal(`Stage "${stage}": use up to 16 of a-z, 0-9 and "-", a letter first.`);
  }
  if (/(^|-)restored/.test(stage)) {
    throw refusal(`Stage "${stage}": tables that are restored have names like its own.`);
  }

  const production = productionStages.includes(stage);
  const local = stage === LOCAL;
  const plainNames = production || local;
  const name = (base) => (plainNames ? base : `${base}-${stage}`);
  // AWS asks for the same action for a batch; the emulator asks for one that AWS lacks.
  const batched = Object.fromEntries(
    ['sqs:ChangeMessageVisibility', 'sqs:SendMessage', 'sns:Publish'].map((action) => [
      action,
      [action, ...(local ? [`${action}Batch`] : [])],
    ])
  );
  requireClaims(
    await param('customerIdClaim'),
    await param('staffClaim'),
    await param('staffValue')
  );

  return {
    tableName: name('orders_app'),
    indexName: INDEX,
    indexArn: { 'Fn::Sub': `\${OrdersTable.Arn}/index/${INDEX}` },
    // Longer than a write takes from the moment its time is taken, with the index's lag. Here one
    // person waits for it, and nothing lags.
    feedDelaySeconds: local ? 5 : 60,
    desk: await staffDesk(stage, resolveVariable, param),
    eventsTopic: isTrue('eventsTopic', await param('eventsTopic'))
      ? eventsTopic(name('order-events'), batched['sns:Publish'])
      : { functions: {}, resources: {} },
    eventsQueueName: name('order-events-queue'),
    eventsDeadLetterQueueName: name('order-events-dlq'),
    streamDeadLetterQueueName: name('order-stream-dlq'),
    deletionProtection: production,
    deletionPolicy: production ? 'Retain' : 'Delete',
    logRetentionInDays: production ? 90 : 14,
    operationsRetentionInDays: production ? 731 : 14,
    version: version(await resolveVariable("env:VERSION, ''")),
    logLevel: logLevel(await param('logLevel')),
    metricsNamespace: plainNames ? 'Orders' : `Orders/${stage}`,
    payments: payments(stage, production, await param('payments')),
    publicBaseUrl: await publicBaseUrl(stage, resolveVariable, param),
    cors: cors(production, await param('corsOrigins')),
    authorizer: {
      type: 'jwt',
      identitySource: '$request.header.Authorization',
      ...(await issuer(stage, resolveVariable, param)),
    },
    batched,
    permissionsBoundary: permissionsBoundary(await param('permissionsBoundary')),
    // The emulator's CloudFormation refuses alarms on metric math.
    metricMath: !local,
    apiTags: local ? { 'ms-custom-id': LOCAL_API_ID } : {},
    localResources: local ? standInUserPool() : {},
  };
};

/** Without its stack the framework prints the message alone. */
function refusal(message) {
  return Object.assign(new Error(message), { stack: message });
}

/** The framework ignores a name that nothing asks for, and what follows the first line of a value. */
function requireKnownParameters(blocks, passed) {
  const known = Object.keys(blocks.default);
  const requireKnown = (name, where) => {
    if (known.includes(name)) return;
    throw refusal(`${where}: no parameter is called "${name}". There are: ${known.join(', ')}.`);
  };
  for (const [stage, block] of Object.entries(blocks)) {
    for (const name of Object.keys(block ?? {})) requireKnown(name, `params.${stage}`);
  }
  for (const one of passed) {
    const [, name] = /^([^=]+)=.+$/.exec(one) ?? [];
    if (name === undefined) {
      throw refusal(`Write --param="name=value", with a value in one line, not ${quoted(one)}.`);
    }
    requireKnown(name, '--param');
  }
}

function quoted(value) {
  return JSON.stringify(value);
}

function logLevel(value) {
  if (['INFO', 'WARNING', 'ERROR'].includes(value)) return value;
  throw refusal(`Parameter "logLevel" is INFO, WARNING or ERROR, not "${value}".`);
}

/**
 * VERSION, or else the commit of this checkout, with `-dirty` where it has other or more files.
 *
 * Without either it is `unknown`.
 */
function version(given) {
  if (given !== '') {
    // What log lines have room for and a stack's tag may hold.
    if (/^[\w.+-]{1,64}$/.test(given)) return given;
    throw refusal(`VERSION "${given}": use up to 64 of a-z, A-Z, 0-9 and "._+-".`);
  }
  const commit = git('rev-parse', '--short=12', 'HEAD');
  if (commit === null) return 'unknown';
  return git('status', '--porcelain') === '' ? commit : `${commit}-dirty`;
}

/** What git says about the checkout that this file belongs to; null where it can't. */
function git(...command) {
  const { status, stdout } = spawnSync('git', command, { cwd: __dirname, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** What settles payments: a mock, which charges nobody, or nothing. */
function payments(stage, production, value) {
  if (value === '') return production ? 'none' : 'mock';
  if (value !== 'mock' && value !== 'none') {
    throw refusal(`Parameter "payments" is mock or none, not "${value}".`);
  }
  if (value === 'mock' && production) {
    throw refusal(
      `"${stage}" is a production stage: with "payments" mock it would ship what nobody paid for.`
    );
  }
  return value;
}

/** The ARN of the policy that every role of the template gets as its boundary; null without one. */
function permissionsBoundary(value) {
  if (value === '') return null;
  if (typeof value !== 'string' || !POLICY.test(value)) {
    throw refusal(
      'Parameter "permissionsBoundary" is the name or the ARN of a managed policy of the account, ' +
        `such as orders-staging-functions-boundary-ap-southeast-1, not ${JSON.stringify(value)}.`
    );
  }
  if (value.startsWith('arn:')) return value;
  return { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:policy/${value}` };
}

function isTrue(name, value) {
  // A text from the command line, a boolean from serverless.yml.
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refusal(`Parameter "${name}" is true or false, not "${value}".`);
}

/** Without a client id, staff sign in with a token that they paste. */
async function staffDesk(stage, resolveVariable, param) {
  const clientId = await param('deskClientId');
  const scope = await param('deskScope');
  const origin = await param('deskSignInOrigin');
  if (!isTrue('desk', await param('desk'))) {
    if (clientId === '' && scope === 'openid' && origin === '') return desk.without;
    throw refusal(
      '"deskClientId", "deskScope" and "deskSignInOrigin" have no effect where "desk" is false.'
    );
  }
  requireText('deskScope', scope);
  if (!scope.split(' ').every((word) => SCOPE.test(word)) || !scope.split(' ').includes('openid')) {
    throw refusal(
      `Parameter "deskScope" is "openid", alone or among other scopes, with one blank between ` +
        `them, not "${scope}".`
    );
  }
  if (clientId === '') {
    if (scope === 'openid' && origin === '') return desk({ tokenInLink: stage === LOCAL });
    throw refusal('"deskScope" and "deskSignInOrigin" have no effect without "deskClientId".');
  }
  requireText('deskClientId', clientId);
  const { issuerUrl, audience } = await issuer(stage, resolveVariable, param);
  return desk({
    tokenInLink: stage === LOCAL,
    clientId,
    scope,
    issuer: issuerUrl,
    // The API that the token is for, where the issuer knows more than one.
    audience: audience.includes(clientId) ? '' : audience[0],
    origin: origin === '' ? '' : new URL(publicHttpsUrl('deskSignInOrigin', origin)).origin,
  });
}

/** Empty: the functions take the address from the request. */
async function publicBaseUrl(stage, resolveVariable, param) {
  if (stage === LOCAL) {
    const port = await resolveVariable("env:LOCAL_PORT, '4566'");
    return `http://127.0.0.1:${port}/_aws/execute-api/${LOCAL_API_ID}`;
  }
  if (stage === OFFLINE) {
    const port = await resolveVariable("env:OFFLINE_PORT, '3000'");
    return `http://127.0.0.1:${port}`;
  }
  const value = await param('publicBaseUrl');
  if (value === '') return '';
  return publicHttpsUrl('publicBaseUrl', value).replace(/\/+$/, '');
}

function cors(production, value) {
  if (value === '') return false;
  const origins = list('corsOrigins', 'origin', value);
  for (const origin of origins) requireOrigin(production, origin);
  return {
    allowedOrigins: origins,
    allowedMethods: ['GET', 'HEAD', 'POST', 'PATCH'],
    allowedHeaders: REQUEST_HEADERS,
    exposedResponseHeaders: RESPONSE_HEADERS,
    maxAge: 3600,
  };
}

/** API Gateway compares it with what browsers send (RFC 6454, 6.2), and knows no subdomains `*.`. */
function requireOrigin(production, origin) {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  const schemes = production ? ['https:'] : ['https:', 'http:'];
  if (!schemes.includes(url?.protocol) || !/^([a-z0-9-]+\.)*[a-z0-9-]+$/.test(url.hostname)) {
    throw refusal(
      `Parameter "corsOrigins" names each origin, such as https://shop.example.com` +
        `${production ? '' : ' or http://localhost:5173'}, not ${quoted(origin)}.`
    );
  }
  if (url.origin !== origin) {
    throw refusal(
      `Parameter "corsOrigins": browsers send ${url.origin}, so write that, not ${quoted(origin)}.`
    );
  }
}

/** The parts of a text with commas between them. */
function list(name, what, value) {
  const parts = typeof value === 'string' ? value.split(',').map((one) => one.trim()) : [''];
  if (parts.includes('') || new Set(parts).size < parts.length) {
    throw refusal(
      `Parameter "${name}" is a text with one ${what}, or several, each once, with a comma ` +
        `between, not ${quoted(value)}.`
    );
  }
  return parts;
}

/** Refuses settings of the functions that no token can match. */
function requireClaims(customerId, staff, staffValue) {
  for (const [name, claim] of Object.entries({ customerIdClaim: customerId, staffClaim: staff })) {
    requireText(name, claim);
    if (claim.startsWith('/') && !/^(\/([^~/]|~[01])+)+$/.test(claim)) {
      throw refusal(
        `Parameter "${name}" begins with "/" and is not a JSON Pointer (RFC 6901) such as ` +
          `/realm_access/roles: "${claim}". In a name, "~" is written ~0 and "/" is written ~1.`
      );
    }
  }
  requireText('staffValue', staffValue);
  if (/^\/?(scope|scp)$/.test(staff) && !SCOPE.test(staffValue)) {
    throw refusal(
      `Parameter "staffValue" is no single scope, so the claim "${staff}" never contains it: ` +
        `"${staffValue}".`
    );
  }
}

function requireText(name, value) {
  if (typeof value !== 'string' || value === '' || value !== value.trim()) {
    throw refusal(
      `Parameter "${name}" must be a text that is not empty, without white space at its ends, ` +
        `not ${quoted(value)}.`
    );
  }
  if (/\p{Cc}/u.test(value) || Buffer.byteLength(value) > TEXT_BYTES) {
    throw refusal(
      `Parameter "${name}" must be a text of up to ${TEXT_BYTES} bytes, without line breaks and ` +
        `other control characters, not ${quoted(value)}.`
    );
  }
}

async function issuer(stage, resolveVariable, param) {
  if (stage === LOCAL) {
    return {
      issuerUrl: {
        'Fn::Sub': 'https://cognito-idp.${AWS::Region}.amazonaws.com/${LocalUsers}',
      },
      audience: [{ Ref: 'LocalUsersClient' }],
    };
  }
  // serverless-offline reads tokens without verifying them; scripts/offline.py makes them.
  if (stage === OFFLINE) return { issuerUrl: 'https://issuer.invalid', audience: ['offline'] };

  const url = (await param('jwtIssuer')) || (await resolveVariable("env:JWT_ISSUER, ''"));
  const audience = (await param('jwtAudience')) || (await resolveVariable("env:JWT_AUDIENCE, ''"));
  if (url === '' || audience === '') {
    throw refusal(
      `Stage "${stage}" needs the OIDC issuer whose tokens the API accepts: pass ` +
        '--param="jwtIssuer=https://..." --param="jwtAudience=..." or set JWT_ISSUER and ' +
        'JWT_AUDIENCE. Several audiences are separated by commas.'
    );
  }
  const audiences = list('jwtAudience', 'audience', audience);
  for (const one of audiences) requireText('jwtAudience', one);
  if (audiences.length > AUDIENCES) {
    throw refusal(`Parameter "jwtAudience" has ${audiences.length} audiences, not up to ${AUDIENCES}.`);
  }
  return { issuerUrl: publicHttpsUrl('jwtIssuer', url), audience: audiences };
}

/**
 * The URL as given, after checking that it is https and on a public host name.
 *
 * It goes into a policy and is compared with what tokens say: only the one normal form passes.
 */
function publicHttpsUrl(name, value) {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isPublic =
    /^([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/.test(url?.hostname) &&
    !/\.(localhost|local|internal|invalid|test)$/.test(url.hostname);
  const isPlain = isPublic && [url.href, url.origin].includes(value) && !/[?#@]/.test(value);
  if (!isPlain || url.protocol !== 'https:') {
    throw refusal(
      `Parameter "${name}" must be an https URL on a public host name, in lower case, without ` +
        `user, query, fragment and white space, not ${quoted(value)}.`
    );
  }
  requireText(name, value);
  return value;
}

function standInUserPool() {
  return {
    Resources: {
      LocalUsers: {
        Type: 'AWS::Cognito::UserPool',
        Properties: { UserPoolName: 'orders-local' },
      },
      LocalUsersClient: {
        Type: 'AWS::Cognito::UserPoolClient',
        Properties: {
          UserPoolId: { Ref: 'LocalUsers' },
          ClientName: 'orders-local',
          ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
          AccessTokenValidity: 24,
          TokenValidityUnits: { AccessToken: 'hours' },
        },
      },
      LocalStaffGroup: {
        Type: 'AWS::Cognito::UserPoolGroup',
        Properties: { UserPoolId: { Ref: 'LocalUsers' }, GroupName: 'staff' },
      },
    },
    Outputs: {
      LocalUserPoolId: { Value: { Ref: 'LocalUsers' } },
      LocalUserPoolClientId: { Value: { Ref: 'LocalUsersClient' } },
    },
  };
}
