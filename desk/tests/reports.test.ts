import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type DailyReport, NoResponse, type Problem, Refusal } from '../src/api';
import { Reports, sumOf } from '../src/reports';

const DAYS = ['2026-11-26', '2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30'];
const NEVER = new AbortController().signal;

function report(changes: Partial<DailyReport> = {}): DailyReport {
  return {
    orders: {},
    revenue: {},
    cancellationReasons: {},
    leftOut: 0,
    ...changes,
  } as DailyReport;
}

/** An API of which each request waits until it is responded to. */
function reports() {
  const asked: { day: string; respond: (with_: DailyReport | Error) => void }[] = [];
  const pauses: number[] = [];
  const api = {
    getDailyReport: (day: string) =>
      new Promise<{ body: DailyReport; date: 0 }>((resolve, reject) => {
        asked.push({
          day,
          respond: (with_) =>
            with_ instanceof Error ? reject(with_) : resolve({ body: with_, date: 0 }),
        });
      }),
  };
  const loaded = new Reports(api, async (pause) => void pauses.push(pause));
  /** Responds to everything, and to what is asked for then. */
  const respond = async (to: (day: string) => DailyReport | Error) => {
    for (let next = asked.shift(); next; next = asked.shift()) {
      next.respond(to(next.day));
      await new Promise(setImmediate);
    }
  };
  return { loaded, asked, pauses, respond };
}

const failureOf = ({ error }: Reports): unknown => error;
const busy = (retryAfter: number | null) => new Refusal(429, null, retryAfter);
const noReport = new Refusal(404, { type: '/docs#report-not-found' } as Problem, null);

test('a few days are asked for at once, the last one first', async () => {
  const { loaded, asked, respond } = reports();
  const loading = loaded.load(DAYS, NEVER);
  assert.deepEqual(
    asked.map(({ day }) => day),
    ['2026-11-30', '2026-11-29', '2026-11-28', '2026-11-27'],
  );
  await respond(() => report());
  await loading;
  assert.equal(loaded.isLoading, false);
  assert.equal(loaded.known.size, 5);
});

test('a day without a report is known to have none', async () => {
  const { loaded, respond } = reports();
  const loading = loaded.load(DAYS, NEVER);
  await respond((day) => (day === '2026-11-28' ? noReport : report()));
  await loading;
  assert.equal(loaded.known.get('2026-11-28'), null);
  assert.equal(loaded.error, null);
  assert.equal(sumOf(DAYS, loaded.known).missing, 1);
});

test('one day that fails leaves the others, and is asked for again alone', async () => {
  const { loaded, asked, respond } = reports();
  const failure = new Refusal(500, null, null);
  const loading = loaded.load(DAYS, NEVER);
  await respond((day) => (day === '2026-11-30' ? failure : report()));
  await loading;
  assert.equal(loaded.error, failure);
  assert.equal(sumOf(DAYS, loaded.known).notLoaded, 1);
  void loaded.load(DAYS, NEVER);
  assert.deepEqual(
    asked.map(({ day }) => day),
    ['2026-11-30'],
  );
});

test('without a connection no more days are tried', async () => {
  const { loaded, respond } = reports();
  const tried: string[] = [];
  const loading = loaded.load(DAYS, NEVER);
  await respond((day) => {
    tried.push(day);
    return new NoResponse();
  });
  await loading;
  assert.equal(tried.length, 4);
});

test('a busy platform is asked again after a pause, as long as it says, and not for ever', async () => {
  const { loaded, pauses, respond } = reports();
  const loading = loaded.load(['2026-11-30'], NEVER);
  const responses = [busy(null), busy(9), report()];
  await respond(() => responses.shift() ?? report());
  await loading;
  assert.deepEqual(pauses, [500, 9000]);
  assert.equal(loaded.error, null);

  const again = loaded.load(['2026-11-29'], NEVER);
  await respond(() => busy(null));
  await again;
  assert.ok(failureOf(loaded) instanceof Refusal);
});

test('nothing more is asked for once the reader has left', async () => {
  const { loaded, asked, respond } = reports();
  const leaving = new AbortController();
  void loaded.load(DAYS, leaving.signal);
  leaving.abort();
  await respond(() => report());
  assert.equal(loaded.known.size, 4);
  assert.equal(asked.length, 0);
});

test('sums are exact, each currency alone, the most used first', () => {
  const known = new Map([
    [
      '2026-11-29',
      report({
        orders: { EUR: { SHIPPED: 1 }, USD: { CANCELED: 1, PAID: 2 } },
        revenue: { EUR: Number.MAX_SAFE_INTEGER, USD: 300 },
        cancellationReasons: { other: 1 },
        leftOut: 1,
      }),
    ],
    [
      '2026-11-30',
      report({
        orders: { EUR: { PENDING: 1, SHIPPED: 1 }, USD: { PENDING: 5 } },
        revenue: { EUR: Number.MAX_SAFE_INTEGER },
        cancellationReasons: { expired: 2, other: 1 },
      }),
    ],
    ['2026-11-28', null],
  ]);
  const { currencies, ...sum } = sumOf(DAYS, known);
  assert.deepEqual(sum, {
    reasons: [
      ['other', 2],
      ['expired', 2],
    ],
    leftOut: 1,
    reported: 2,
    missing: 1,
    notLoaded: 2,
  });
  const [usd, eur] = currencies;
  assert.deepEqual(usd, {
    currency: 'USD',
    ordersPerDay: [undefined, undefined, null, 3, 5],
    revenuePerDay: [undefined, undefined, null, 300, 0],
    orders: 8,
    revenue: 300n,
    isExact: true,
    statuses: [
      ['PENDING', 5],
      ['PAID', 2],
      ['CANCELED', 1],
    ],
  });
  assert.equal(eur?.revenue, 2n * (2n ** 53n - 1n));
  assert.equal(eur?.isExact, true);
});

test('a revenue that a browser has rounded is said to be', () => {
  const large = report({ orders: { IDR: { PAID: 9 } }, revenue: { IDR: 2 ** 53 } });
  assert.equal(sumOf(DAYS, new Map([['2026-11-30', large]])).currencies[0]?.isExact, false);
});
