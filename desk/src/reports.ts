import { type Api, type DailyReport, NoResponse, Refusal } from './api';
import { STATUSES } from './generated/domain';
import { Observable } from './observable';

const AT_ONCE = 4;
const BUSY: ReadonlySet<number> = new Set([429, 503]);
const MOST_ATTEMPTS = 6;
const FIRST_PAUSE = 500;

/** The daily reports that were asked for, each day loaded once. */
export class Reports extends Observable {
  /** By UTC day; null where a day has no report. A day that isn't here was not loaded. */
  readonly known = new Map<string, DailyReport | null>();
  isLoading = false;
  /** What the last request that failed did so with. */
  error: unknown = null;

  constructor(
    private readonly api: Pick<Api, 'getDailyReport'>,
    private readonly pause = pauseFor,
  ) {
    super();
  }

  /** Of these days, what is missing, the last day first, until the signal aborts. */
  async load(days: readonly string[], signal: AbortSignal): Promise<void> {
    const waiting = days.filter((day) => !this.known.has(day));
    this.isLoading = true;
    this.error = null;
    this.changed();
    const work = async () => {
      for (let day = waiting.pop(); day !== undefined; day = waiting.pop()) {
        try {
          this.known.set(day, await this.read(day, signal));
        } catch (error) {
          if (signal.aborted) return;
          this.error = error;
          // Without a connection each of the others would fail, too, and some only after a while.
          if (error instanceof NoResponse) waiting.length = 0;
        }
        if (signal.aborted) return;
        this.changed();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (signal.aborted) return;
    this.isLoading = false;
    this.changed();
  }

  private async read(day: string, signal: AbortSignal): Promise<DailyReport | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.api.getDailyReport(day, signal)).body;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.type === 'report-not-found') return null;
        if (!BUSY.has(error.status) || attempt === MOST_ATTEMPTS) throw error;
        const pause = FIRST_PAUSE * 2 ** (attempt - 1);
        await this.pause(Math.max(pause, 1000 * (error.retryAfter ?? 0)), signal);
      }
    }
  }
}

/** In milliseconds. Rejects as soon as the signal aborts. */
function pauseFor(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** A value per day, as long as the days: null without a report, undefined while it isn't loaded. */
export type PerDay = readonly (number | null | undefined)[];

/** The orders of one currency. Amounts are in its minor unit. */
export interface CurrencySum {
  readonly currency: string;
  readonly ordersPerDay: PerDay;
  readonly revenuePerDay: PerDay;
  readonly orders: number;
  readonly revenue: bigint;
  /** False where a day's revenue is over 2^53: a browser reads such a number rounded. */
  readonly isExact: boolean;
  /** In the order of an order's life. */
  readonly statuses: Counts;
}

export type Counts = readonly (readonly [name: string, orders: number])[];

export interface Sum {
  /** Those with the most orders first. */
  readonly currencies: readonly CurrencySum[];
  /** The most frequent first. */
  readonly reasons: Counts;
  readonly leftOut: number;
  readonly reported: number;
  readonly missing: number;
  readonly notLoaded: number;
}

export function sumOf(days: readonly string[], known: Reports['known']): Sum {
  const perDay = days.map((day) => known.get(day));
  const reports = perDay.filter((report) => report != null);
  const currencies = new Set(reports.flatMap(({ orders }) => Object.keys(orders)));
  const notLoaded = perDay.filter((report) => report === undefined).length;
  return {
    currencies: [...currencies].map((currency) => currencySum(currency, perDay)).sort(mostUsed),
    reasons: [...added(reports.map((report) => report.cancellationReasons))].sort(
      ([, one], [, other]) => other - one,
    ),
    leftOut: total(reports.map((report) => report.leftOut)),
    reported: reports.length,
    missing: days.length - notLoaded - reports.length,
    notLoaded,
  };
}

function currencySum(
  currency: string,
  perDay: readonly (DailyReport | null | undefined)[],
): CurrencySum {
  const countsPerDay = perDay.map((report) => report && (report.orders[currency] ?? {}));
  const revenuePerDay = perDay.map((report) => report && (report.revenue[currency] ?? 0));
  const ordersPerDay = countsPerDay.map((counts) => counts && total(Object.values(counts)));
  const revenues = revenuePerDay.filter((revenue) => revenue != null);
  const statuses = added(countsPerDay.filter((counts) => counts != null));
  return {
    currency,
    ordersPerDay,
    revenuePerDay,
    orders: total(ordersPerDay.map((orders) => orders ?? 0)),
    revenue: revenues.reduce((sum, revenue) => sum + BigInt(revenue), 0n),
    isExact: revenues.every(Number.isSafeInteger),
    statuses: [...statuses].sort(
      ([one], [other]) => STATUSES.indexOf(one) - STATUSES.indexOf(other),
    ),
  };
}

function mostUsed(one: CurrencySum, other: CurrencySum): number {
  return other.orders - one.orders || (one.currency < other.currency ? -1 : 1);
}

function added(all: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of all.flatMap(Object.entries<number>)) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
