import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { texts } from '../src/texts';
import { age, day, lastDays, shortDay, startOfDay, utc } from '../src/time';

const HOUR = 3_600_000;

/** Node reads the zone anew when it is set. */
function inZone(zone: string): void {
  process.env.TZ = zone;
}

const hours = (date: string) =>
  (Date.parse(startOfDay(date, 1)) - Date.parse(startOfDay(date))) / HOUR;

beforeEach(() => inZone('America/New_York'));

test("a day begins at the reader's midnight", () => {
  inZone('Europe/Berlin');
  assert.equal(startOfDay('2026-11-30'), '2026-11-29T23:00:00.000Z');
  assert.equal(startOfDay('2026-12-31', 1), '2026-12-31T23:00:00.000Z');
  inZone('Asia/Kathmandu');
  assert.equal(startOfDay('2026-11-30'), '2026-11-29T18:15:00.000Z');
});

test('days on which clocks change are shorter and longer', () => {
  inZone('Europe/Berlin');
  assert.deepEqual(['2026-03-28', '2026-03-29', '2026-10-25'].map(hours), [24, 23, 25]);
  inZone('America/Santiago');
  assert.deepEqual(['2026-04-04', '2026-09-06', '2026-09-07'].map(hours), [25, 23, 24]);
});

test('a day whose midnight does not exist begins when it does', () => {
  inZone('America/Santiago'); // where clocks go from 24:00 to 01:00
  assert.equal(startOfDay('2026-09-06'), '2026-09-06T04:00:00.000Z');
  assert.equal(startOfDay('2026-09-05', 1), startOfDay('2026-09-06'));
});

test('a title is in UTC, wherever the reader is', () => {
  inZone('America/Santiago');
  assert.equal(utc('2026-11-30T12:15:02.999Z'), '2026-11-30 12:15:02 UTC');
});

test('a UTC day is the same day where it began later', () => {
  assert.equal(Intl.DateTimeFormat().resolvedOptions().timeZone, 'America/New_York');
  assert.equal(day('2026-11-30'), 'Nov 30, 2026');
  assert.equal(shortDay('2026-11-30'), 'Nov 30');
});

test('an age is in its largest unit, rounded down', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const ago = (minutes: number) =>
    texts.orders.ago(age(new Date(now - minutes * 60_000).toISOString(), now));
  assert.deepEqual([0, 0.9, 1, 59.9, 60, 23 * 60 + 59, 24 * 60, 13 * 24 * 60].map(ago), [
    'just now',
    'just now',
    '1 minute ago',
    '59 minutes ago',
    '1 hour ago',
    '23 hours ago',
    '1 day ago',
    '13 days ago',
  ]);
});

test('a clock that is behind makes no age negative', () => {
  assert.equal(age('2026-11-30T12:05:00Z', Date.parse('2026-11-30T12:00:00Z')).value, 0);
});

test('the last days are UTC days, the oldest first, without today', () => {
  inZone('Pacific/Kiritimati');
  assert.deepEqual(lastDays(3, Date.parse('2026-03-01T23:59:59Z')), [
    '2026-02-26',
    '2026-02-27',
    '2026-02-28',
  ]);
});
