import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';

import { SignIn } from '../src/sign-in';

const ISSUER = 'https://login.example.com/tenant/';
const CONFIGURATION = { issuer: ISSUER, token_endpoint: `${ISSUER}token` };
const TOKENS = { accessToken: 'a1', refreshToken: 'r1', idToken: 'i1', renewFrom: 0 };
const RENEWED = { access_token: 'a2', token_type: 'Bearer', expires_in: 3600 };

type Reply = Response | Error;

/** The desk at an issuer that replies to the requests for tokens, one after the other. */
function at(context: TestContext, ...replies: Reply[]) {
  const requests: URLSearchParams[] = [];
  context.mock.method(globalThis, 'fetch', async (url: string, options: RequestInit) => {
    if (url.endsWith('configuration')) return Response.json(CONFIGURATION);
    assert.equal(url, CONFIGURATION.token_endpoint);
    requests.push(new URLSearchParams(String(options.body)));
    const reply = replies.shift();
    if (reply instanceof Error) throw reply;
    return reply;
  });
  const signIn = new SignIn({
    issuer: ISSUER,
    clientId: 'the-desk',
    scope: 'openid',
    audience: '',
    takesTokenInLink: false,
  });
  return { signIn, requests };
}

test('a renewal shows the refresh token, and no secret', async (context) => {
  const { signIn, requests } = at(context, Response.json(RENEWED));
  await signIn.renew(TOKENS);
  assert.deepEqual(
    requests.map((one) => Object.fromEntries(one)),
    [{ grant_type: 'refresh_token', refresh_token: 'r1', client_id: 'the-desk' }],
  );
});

test('what the issuer does not give anew is kept', async (context) => {
  const { signIn } = at(context, Response.json(RENEWED));
  const renewed = await signIn.renew(TOKENS);
  assert.deepEqual({ ...renewed, renewFrom: 0 }, { ...TOKENS, accessToken: 'a2' });
});

test('a refresh token that replaces the old one is the next to be used', async (context) => {
  const { signIn, requests } = at(
    context,
    Response.json({ ...RENEWED, refresh_token: 'r2' }),
    Response.json({ ...RENEWED, refresh_token: 'r3' }),
  );
  const renewed = await signIn.renew(TOKENS);
  assert.ok(renewed);
  assert.equal((await signIn.renew(renewed))?.refreshToken, 'r3');
  assert.deepEqual(
    requests.map((one) => one.get('refresh_token')),
    ['r1', 'r2'],
  );
});

for (const [expires_in, from] of [
  [3600, 3570_000],
  [10, 5000],
] as const) {
  test(`a token that lives for ${expires_in} s is renewed after ${from} ms`, async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const { signIn } = at(context, Response.json({ ...RENEWED, expires_in }));
    assert.equal((await signIn.renew(TOKENS))?.renewFrom, 1_000_000 + from);
  });
}

for (const status of [400, 401, 403]) {
  test(`${status} means that the issuer gives no more`, async (context) => {
    const { signIn } = at(context, Response.json({ error: 'invalid_grant' }, { status }));
    assert.equal(await signIn.renew(TOKENS), null);
  });
}

for (const trouble of [
  new TypeError('Failed to fetch'),
  new Response('', { status: 429 }),
  new Response('', { status: 503 }),
  new Response('<p>Sign in to this network</p>', { status: 404 }),
]) {
  const name = trouble instanceof Error ? trouble.message : String(trouble.status);
  test(`${name} says nothing about the session`, async (context) => {
    const { signIn } = at(context, trouble, Response.json(RENEWED));
    await assert.rejects(signIn.renew(TOKENS));
    assert.equal((await signIn.renew(TOKENS))?.accessToken, 'a2');
  });
}
