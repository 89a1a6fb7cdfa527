import { MINOR_UNIT_DIGITS } from './generated/domain';

const formats = new Map<string, Intl.NumberFormat>();

/**
 * An amount in the currency's minor unit, as people read it: 1999 USD is $19.99.
 *
 * The digits are those of ISO 4217, as the API counts them. A browser's own differ: it shows dinars
 * of Iraq, which have three, without any.
 */
export function money(amount: number | bigint, currency: string): string {
  const digits = minorUnitDigits(currency);
  const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return format(currency, fixed).format(decimal(amount, digits));
}

/** For the scale of a plot, where it need not be exact: 1250000 USD is $12.5K. */
export function shortMoney(amount: number, currency: string): string {
  const short = { notation: 'compact', maximumSignificantDigits: 3 } as const;
  return format(currency, short).format(amount / 10 ** minorUnitDigits(currency));
}

function format(currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${currency} ${options.notation}`;
  const made =
    formats.get(key) ??
    new Intl.NumberFormat(undefined, { style: 'currency', currency, ...options });
  formats.set(key, made);
  return made;
}

function minorUnitDigits(currency: string): number {
  return MINOR_UNIT_DIGITS[currency] ?? 2;
}

/** Exact, where a division would round. */
function decimal(amount: number | bigint, digits: number): `${number}` {
  const sign = amount < 0 ? '-' : '';
  const text = String(BigInt(amount))
    .replace('-', '')
    .padStart(digits + 1, '0');
  const point = text.length - digits;
  return `${sign}${text.slice(0, point)}.${text.slice(point)}0` as `${number}`;
}
