import assert from 'node:assert/strict';
import { test } from 'node:test';

import { money, shortMoney } from '../src/money';

const inEnglish = (amount: number | bigint, currency: string) =>
  money(amount, currency).replace(/\u00a0/g, ' ');

test('an amount has the digits of its currency', () => {
  assert.equal(inEnglish(1999, 'USD'), '$19.99');
  assert.equal(inEnglish(1999, 'JPY'), '¥1,999');
  assert.equal(inEnglish(1999, 'BHD'), 'BHD 1.999');
  assert.equal(inEnglish(1999, 'CLF'), 'CLF 0.1999');
});

test('dinars of Iraq have three digits, though browsers show none', () => {
  assert.equal(inEnglish(1_500, 'IQD'), 'IQD 1.500');
});

test('the smallest and the largest amounts are exact', () => {
  assert.equal(inEnglish(0, 'USD'), '$0.00');
  assert.equal(inEnglish(5, 'USD'), '$0.05');
  assert.equal(inEnglish(0, 'JPY'), '¥0');
  assert.equal(inEnglish(1, 'BHD'), 'BHD 0.001');
  assert.equal(inEnglish(10 ** 15 - 1, 'USD'), '$9,999,999,999,999.99');
  assert.equal(inEnglish(10 ** 15, 'USD'), '$10,000,000,000,000.00');
  assert.equal(inEnglish(2n ** 53n + 1n, 'JPY'), '¥9,007,199,254,740,993');
});

test('a currency that is not known here has two digits and its code', () => {
  assert.equal(inEnglish(1999, 'XQZ'), 'XQZ 19.99');
});

test('a scale has short amounts', () => {
  assert.equal(shortMoney(1_250_000, 'USD'), '$12.5K');
  assert.equal(shortMoney(5, 'USD'), '$0.05');
  assert.equal(shortMoney(2_000_000, 'JPY'), '¥2M');
});
