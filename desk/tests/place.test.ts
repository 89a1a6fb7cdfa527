import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatPlace, parsePlace, type Place } from '../src/place';

const range = { from: '2026-11-01', to: '2026-11-30', oldestFirst: false };
const PACKING: Place = { screen: 'orders', status: 'PAID', from: '', to: '', oldestFirst: true };

test('the address leads back to the place', () => {
  const places: Place[] = [
    PACKING,
    { screen: 'orders', status: 'PENDING', ...range },
    { screen: 'orders', status: 'ON&HOLD', from: '', to: '', oldestFirst: false },
    { screen: 'customer', customerId: 'cus_42', ...range },
    { screen: 'customer', customerId: '../a/b?c=d&e#f|: @+%2F', ...range, oldestFirst: true },
    { screen: 'order', id: '5VH7-9TDM-FW7P-2' },
    { screen: 'order', id: 'a/b?c%' },
    { screen: 'days', count: 90 },
  ];
  for (const place of places) assert.deepEqual(parsePlace(formatPlace(place)), place);
});

test('an address that says nothing leads to what is to be packed', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/orders', '#/orders/', '#/customers/']) {
    assert.deepEqual(parsePlace(hash), PACKING, hash);
  }
});

test('what an address gets wrong is left out', () => {
  assert.deepEqual(parsePlace('#/days?days=1000000'), { screen: 'days', count: 30 });
  assert.deepEqual(parsePlace('#/days?days=7.5'), { screen: 'days', count: 30 });
  assert.deepEqual(parsePlace('#/orders?from=2026-13-01&to=yesterday&sort='), {
    ...PACKING,
    oldestFirst: false,
  });
  assert.deepEqual(parsePlace('#/orders/%E0%A4%A'), { screen: 'order', id: '%E0%A4%A' });
});

test('a day that no month has is none', () => {
  assert.deepEqual(parsePlace('#/orders?from=2026-02-30'), PACKING);
});
