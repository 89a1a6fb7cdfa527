import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import type { CloudEvent, EventPage, Query } from '../src/api';
import { Feed } from '../src/feed';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const page = new EventTarget() as EventTarget & { hidden: boolean };

beforeEach(() => {
  page.hidden = false;
  Object.assign(globalThis, { document: page });
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => mock.timers.reset());

const events = (count: number) => Array<CloudEvent>(count).fill({ id: 'e' } as CloudEvent);

/** What the clocks of this machine and of the API show. */
const clocks = { here: NOW, there: NOW };

/** A feed of an API that has these responses and then nothing new. */
function feedOf(...responses: (CloudEvent[] | Error)[]) {
  const queries: Query[] = [];
  Object.assign(clocks, { here: NOW, there: NOW });
  const api = {
    async listEvents(query: Query) {
      queries.push(query);
      const items = responses.shift() ?? [];
      if (items instanceof Error) throw items;
      const body: EventPage = { items, nextCursor: `cursor ${queries.length}` };
      return { body, date: clocks.there };
    },
  };
  return { feed: new Feed(api, () => clocks.here), queries };
}

const responded = () => new Promise(setImmediate);

async function later(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await responded();
}

function hide(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
}

test('the feed goes on from where it was, and passes on what it finds', async () => {
  const { feed, queries } = feedOf([], events(2));
  const found: number[] = [];
  feed.read((read) => found.push(read.length));
  const stop = feed.start();
  await responded();
  await later(10_000);
  stop();
  await later(60_000);
  assert.deepEqual(
    queries.map(({ recordedFrom, cursor }) => [recordedFrom, cursor]),
    [
      ['2026-11-30T11:58:30.000Z', undefined],
      ['2026-11-30T11:58:30.000Z', 'cursor 1'],
    ],
  );
  assert.deepEqual(found, [2]);
});

test('a full page is followed by the next at once', async () => {
  const { feed, queries } = feedOf(events(100), events(1));
  const stop = feed.start();
  await responded();
  await later(1);
  assert.equal(queries.length, 2);
  stop();
});

test('while the page is hidden, nothing is asked for', async () => {
  const { feed, queries } = feedOf();
  const stop = feed.start();
  await responded();
  hide(true);
  await later(600_000);
  assert.equal(queries.length, 1);
  hide(false);
  await responded();
  assert.equal(queries.length, 2);
  await later(10_000);
  assert.equal(queries.length, 3);
  stop();
});

test('a page that is hidden during a request asks for no more', async () => {
  const { feed, queries } = feedOf();
  const stop = feed.start();
  hide(true);
  await responded();
  await later(600_000);
  assert.equal(queries.length, 1);
  stop();
});

test('after an error the same is asked for again', async () => {
  const { feed, queries } = feedOf([], new Error('failed'));
  const stop = feed.start();
  await responded();
  await later(10_000);
  await later(10_000);
  assert.deepEqual(
    queries.map(({ cursor }) => cursor),
    [undefined, 'cursor 1', 'cursor 1'],
  );
  stop();
});

test('a clock that is wrong here is corrected by the API’s', async () => {
  const { feed, queries } = feedOf(events(1));
  clocks.there = NOW - 3 * 3_600_000;
  let found = 0;
  feed.read((read) => (found += read.length));
  const stop = feed.start();
  await responded();
  await later(0);
  stop();
  assert.deepEqual(queries[1], {
    recordedFrom: '2026-11-30T08:58:30.000Z',
    cursor: undefined,
    limit: 100,
  });
  assert.equal(found, 0);
});

test('after a long sleep the feed begins anew and says that events were left out', async () => {
  const { feed, queries } = feedOf();
  let gaps = 0;
  feed.read(
    () => undefined,
    () => (gaps += 1),
  );
  const stop = feed.start();
  await responded();
  clocks.here = clocks.there = NOW + 8 * 3_600_000;
  await later(10_000);
  stop();
  assert.equal(gaps, 1);
  assert.equal(queries[1]?.recordedFrom, '2026-11-30T19:58:30.000Z');
  assert.equal(queries[1]?.cursor, undefined);
});

test('a page that is open for long, and asks all the time, has no gap', async () => {
  const { feed, queries } = feedOf();
  let gaps = 0;
  feed.read(
    () => undefined,
    () => (gaps += 1),
  );
  const stop = feed.start();
  await responded();
  for (let minute = 0; minute < 30; minute++) {
    clocks.here = clocks.there += 60_000;
    await later(10_000);
  }
  stop();
  assert.equal(queries.length, 31);
  assert.equal(gaps, 0);
});
