import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';

import { Api, NoResponse } from '../src/api';
import { Session, type Tokens } from '../src/session';

const MINUTE = 60_000;

/** An issuer that answers as the test says, when it says. */
class Issuer {
  readonly asked: Tokens[] = [];
  private settle: ((reply: Tokens | null | Error) => void) | undefined;

  readonly renew = (tokens: Tokens): Promise<Tokens | null> => {
    this.asked.push(tokens);
    return new Promise((resolve, reject) => {
      this.settle = (reply) => (reply instanceof Error ? reject(reply) : resolve(reply));
    });
  };

  reply(reply: Tokens | null | Error): void {
    this.settle?.(reply);
  }
}

class Memory {
  private readonly items = new Map<string, string>();
  readonly getItem = (name: string) => this.items.get(name) ?? null;
  readonly setItem = (name: string, value: string) => void this.items.set(name, value);
  readonly clear = () => this.items.clear();
  get size(): number {
    return this.items.size;
  }
}

function started(tokens?: Tokens) {
  const issuer = new Issuer();
  const memory = new Memory();
  const clock = { now: 0 };
  const storage = memory as unknown as Storage;
  const session = new Session('/v1', storage, () => clock.now, issuer.renew);
  if (tokens) session.accept(tokens);
  return { clock, issuer, memory, session, storage };
}

const jwt = (name: string, person: string) =>
  `${name}.${Buffer.from(JSON.stringify({ sub: person })).toString('base64url')}.`;
const access = (name: string) => jwt(name, 'Zoë ÿ');

const tokens = (name: string, renewFrom: number): Tokens => ({
  accessToken: access(name),
  refreshToken: `refresh ${name}`,
  renewFrom,
});
const FIRST = tokens('1', MINUTE);
const SECOND = tokens('2', 2 * MINUTE);

test('a token that is not old is used without asking the issuer', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = MINUTE - 1;
  assert.equal(await session.token(), access('1'));
  assert.deepEqual(issuer.asked, []);
});

test('many who wait for a token cause one renewal', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = MINUTE;
  const waiting = [session.token(), session.token()];
  session.refused(access('1'));
  waiting.push(session.token());
  issuer.reply(SECOND);
  assert.deepEqual(await Promise.all(waiting), [access('2'), access('2'), access('2')]);
  assert.deepEqual(issuer.asked, [FIRST]);
});

test('a second refusal of the same token is of no account', async () => {
  const { issuer, session } = started(FIRST);
  session.refused(access('1'));
  const waiting = session.token();
  issuer.reply(SECOND);
  await waiting;
  session.refused(access('1'));
  assert.equal(await session.token(), access('2'));
  assert.equal(issuer.asked.length, 1);
});

test('where the issuer refuses to renew, the session has ended and those who wait go on waiting', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = MINUTE;
  const waiting = session.token();
  issuer.reply(null);
  await new Promise<void>((resolve) => session.observe(resolve));
  assert.equal(session.state, 'ended');
  session.accept(tokens('new', 2 * MINUTE));
  assert.equal(await waiting, access('new'));
});

test('a renewal that fails for want of a network leaves the old token until the API refuses it', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = MINUTE;
  const early = session.token();
  issuer.reply(new TypeError('Failed to fetch'));
  assert.equal(await early, access('1'));
  session.refused(access('1'));
  const failing = [session.token(), session.token()];
  issuer.reply(new TypeError('Failed to fetch'));
  for (const one of failing) await assert.rejects(one, NoResponse);
  assert.equal(session.state, 'signed-in');
  const trying = session.token();
  issuer.reply(SECOND);
  assert.equal(await trying, access('2'));
});

test('an API that refuses a fresh token ends the session instead of renewing for ever', async () => {
  const { issuer, session } = started(FIRST);
  session.refused(access('1'));
  const waiting = session.token();
  issuer.reply(SECOND);
  assert.equal(await waiting, access('2'));
  session.refused(access('2'));
  assert.equal(session.state, 'ended');
  assert.equal(issuer.asked.length, 1);
});

test('a token that came by an ordinary renewal may be refused once', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = MINUTE;
  const first = session.token();
  issuer.reply(SECOND);
  await first;
  session.refused(access('2'));
  const second = session.token();
  issuer.reply(tokens('3', 3 * MINUTE));
  assert.equal(await second, access('3'));
});

test('a new token is tried even where the clock says that it is old', async () => {
  const { clock, issuer, session } = started(FIRST);
  clock.now = 60 * MINUTE;
  const waiting = session.token();
  issuer.reply(SECOND);
  assert.equal(await waiting, access('2'));
});

test('a token without a refresh token ends when the API refuses it', () => {
  const { session } = started({ accessToken: 'pasted' });
  session.refused('pasted');
  assert.equal(session.state, 'ended');
});

test('what is renewed while somebody signs out is not kept', async () => {
  const { clock, issuer, memory, session } = started(FIRST);
  clock.now = MINUTE;
  const leaving = new AbortController();
  const waiting = session.token(leaving.signal);
  assert.equal(session.signOut(), FIRST);
  issuer.reply(SECOND);
  leaving.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal(session.state, 'signed-out');
  assert.equal(memory.size, 0);
});

test('the tab goes on with its tokens after a reload', async () => {
  const { storage, issuer } = started(FIRST);
  const reloaded = new Session('/v1', storage, () => 0, issuer.renew);
  assert.equal(await reloaded.token(), access('1'));
});

test('the tokens of another API of the same origin are not used', () => {
  const { memory, storage, issuer } = started(FIRST);
  const elsewhere = new Session('', storage, () => 0, issuer.renew);
  assert.equal(elsewhere.state, 'signed-out');
  assert.equal(memory.size, 0);
});

test('a token that the API has honored may be refused later', async () => {
  const { issuer, session } = started(FIRST);
  session.refused(access('1'));
  const second = session.token();
  issuer.reply(SECOND);
  session.honored(await second);
  session.refused(access('2'));
  const third = session.token();
  issuer.reply(tokens('3', 3 * MINUTE));
  assert.equal(await third, access('3'));
});

const SAME = access('new');
const ID_TOKEN = jwt('id', 'Zoë ÿ');
for (const [what, first, second, isAnother] of [
  ['the same person’s', FIRST, { accessToken: SAME }, false],
  ['another’s', FIRST, { accessToken: jwt('new', 'Zoe') }, true],
  ['nobody knows whose', { accessToken: 'a.b.c' }, { accessToken: 'a.b.c' }, true],
  ['a nameless', { accessToken: 'a.e30.' }, { accessToken: 'b.e30.' }, true],
  ['an ID token’s', { accessToken: 'a', idToken: ID_TOKEN }, { accessToken: SAME }, false],
] as const) {
  test(`${what} token ${isAnother ? 'begins another session' : 'goes on with the session'}`, async () => {
    const { memory, session } = started(first);
    memory.setItem('draft', 'typed');
    session.refused(first.accessToken);
    const { ending } = session;
    session.accept(second);
    assert.equal(session.state, 'signed-in');
    assert.equal(await session.token(), second.accessToken);
    assert.equal(ending.aborted, isAnother);
    assert.equal(session.ending.aborted, false);
    assert.equal(memory.getItem('draft'), isAnother ? null : 'typed');
  });
}

/** Connections that never respond. */
function silence(context: TestContext): void {
  context.mock.method(globalThis, 'fetch', (_: string, { signal }: { signal: AbortSignal }) => {
    return new Promise((_resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  });
}

test(
  'a connection that never responds counts as no response',
  { timeout: 5000 },
  async (context) => {
    silence(context);
    const patience = new AbortController();
    const set = context.mock.method(AbortSignal, 'timeout', () => patience.signal);
    const { session } = started(FIRST);
    const waiting = new Api('/v1', session).getOrder('1');
    await new Promise(setImmediate);
    patience.abort(new DOMException('late', 'TimeoutError'));
    await assert.rejects(waiting, NoResponse);
    assert.deepEqual(
      set.mock.calls.map(({ arguments: [milliseconds] }) => milliseconds),
      [35_000],
    );
  },
);

test(
  'a sign-out ends what is being asked for, and what its asker asks for later',
  { timeout: 5000 },
  async (context) => {
    silence(context);
    const { session } = started(FIRST);
    const api = new Api('/v1', session);
    const asked = api.getOrder('1');
    await new Promise(setImmediate);
    session.signOut();
    await assert.rejects(asked, { name: 'AbortError' });
    session.accept(SECOND);
    await assert.rejects(api.getOrder('1'), { name: 'AbortError' });
  },
);
