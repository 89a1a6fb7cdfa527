import { MINOR_UNIT_DIGITS } from './generated/domain';

const formats = new Map<string, Intl.NumberFormat>();

/**
 * An amount in the currency's minor unit, as people read it: 1999 USD is $19.99.
 *
 * The digits are those of ISO 4217, as the API counts them. A browser's own differ: it shows dinars
 * of Iraq, which have three, without any.
 */
export function money(amount: number, currency: string): string {
  const digits = minorUnitDigits(currency);
  let format = formats.get(currency);
  if (!format) {
    const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(undefined, { style: 'currency', currency, ...fixed });
    formats.set(currency, format);
  }
  return format.format(decimal(amount, digits));
}

/** As a number in the currency's major unit, for a plot's scale alone: it is rounded. */
export function major(amount: number, currency: string): number {
  return amount / 10 ** minorUnitDigits(currency);
}

function minorUnitDigits(currency: string): number {
  return MINOR_UNIT_DIGITS[currency] ?? 2;
}

/** Exact, where a division would round. */
function decimal(amount: number, digits: number): `${number}` {
  const sign = amount < 0 ? '-' : '';
  const text = String(Math.abs(amount)).padStart(digits + 1, '0');
  const point = text.length - digits;
  return `${sign}${text.slice(0, point)}.${text.slice(point)}0` as `${number}`;
}
