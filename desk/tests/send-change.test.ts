import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NoResponse, type Order, type Problem, Refusal } from '../src/api';
import { type Change, send, type Waiting } from '../src/send-change';

const CHANGE: Change = { orderNumber: 'o-1', version: 3, status: 'PAID', reason: '', key: 'k-1' };
const ORDER = { orderNumber: 'o-1', version: 4 } as Order;
const problem = { type: '/docs#illegal-transition', detail: 'no' } as Problem;

/** Sends the change to an API that responds like this, one after the other. */
async function sent(responses: unknown[], change = CHANGE) {
  const requests: unknown[][] = [];
  const waits: Waiting[] = [];
  const api = {
    async changeStatus(...request: unknown[]) {
      requests.push(request.slice(0, 4));
      const response = responses.shift();
      if (response instanceof Error) throw response;
      return { body: response as Order, date: 0 };
    },
  };
  const wait = async (waiting: Waiting) => void waits.push(waiting);
  const outcome = await send(api, change, wait).catch((error: unknown) => error);
  return { outcome, requests, waits };
}

test('a change that is done says what the order is now', async () => {
  const { outcome, requests } = await sent([ORDER], { ...CHANGE, reason: 'paid in cash' });
  assert.deepEqual(outcome, { kind: 'done', order: ORDER });
  assert.deepEqual(requests, [['o-1', { status: 'PAID', reason: 'paid in cash' }, 3, 'k-1']]);
});

test('until the outcome is known, the same request is sent with the same key', async () => {
  const unknown = [new NoResponse(), new Refusal(503, null, null), new Refusal(500, null, null)];
  const { outcome, requests } = await sent([...unknown, new Refusal(429, null, null), ORDER]);
  assert.deepEqual(outcome, { kind: 'done', order: ORDER });
  assert.deepEqual(requests, Array(5).fill(['o-1', { status: 'PAID' }, 3, 'k-1']));
});

test('pauses grow, and end at a longest one', async () => {
  const { waits } = await sent([...Array.from({ length: 8 }, () => new NoResponse()), ORDER]);
  assert.deepEqual(
    waits.map(({ pause }) => pause),
    [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000],
  );
  assert.equal(waits[0]?.because, 'no-response');
});

test('a pause is as long as the API asks for', async () => {
  const { waits } = await sent([new Refusal(503, null, 7), ORDER]);
  assert.deepEqual(waits, [{ because: 'busy', pause: 7000 }]);
});

test('somebody else was faster: a conflict', async () => {
  const { outcome, requests } = await sent([new Refusal(412, null, null)]);
  assert.deepEqual(outcome, { kind: 'conflict' });
  assert.equal(requests.length, 1);
});

test('a refusal is final, and says why', async () => {
  for (const status of [400, 403, 404, 409, 422]) {
    const { outcome, requests } = await sent([new Refusal(status, problem, null)]);
    assert.deepEqual(outcome, { kind: 'refused', problem, status });
    assert.equal(requests.length, 1);
  }
});

test('nothing is sent again once the reader has left', async () => {
  const left = new DOMException('left', 'AbortError');
  const { outcome, requests, waits } = await sent([left, ORDER]);
  assert.equal(outcome, left);
  assert.equal(requests.length, 1);
  assert.deepEqual(waits, []);
});

test('a platform that keeps failing is not asked for ever, and its error is the outcome', async () => {
  const failures = () => Array.from({ length: 9 }, () => new Refusal(500, problem, null));
  const { outcome, requests, waits } = await sent([new NoResponse(), ...failures()]);
  assert.deepEqual(outcome, { kind: 'refused', problem, status: 500 });
  assert.equal(requests.length, 6);
  assert.equal(waits.at(-1)?.because, 'error');
});

test('a platform that is busy is asked until it is not', async () => {
  for (const status of [429, 502, 503, 504]) {
    const busy = Array.from({ length: 30 }, () => new Refusal(status, null, null));
    const { outcome } = await sent([...busy, ORDER]);
    assert.deepEqual(outcome, { kind: 'done', order: ORDER });
  }
});
