import { useEffect, useMemo, useRef } from 'preact/hooks';

import type { Api } from '../api';
import { money, shortMoney } from '../money';
import { useObservable } from '../observable';
import { Heading } from '../parts/heading';
import { Plot } from '../parts/plot';
import { Failure } from '../parts/show';
import { DAY_COUNTS, formatPlace } from '../place';
import { type Counts, type CurrencySum, type PerDay, Reports, sumOf } from '../reports';
import { texts } from '../texts';
import { day, lastDays } from '../time';

const t = texts.reports;

export function Days({ api, count }: { readonly api: Api; readonly count: number }) {
  const reports = useObservable(useMemo(() => new Reports(api), [api]));
  const days = useMemo(() => lastDays(count, Date.now()), [count]);
  const request = useRef(new AbortController());
  const load = () => {
    request.current.abort();
    request.current = new AbortController();
    void reports.load(days, request.current.signal);
  };
  useEffect(() => {
    load();
    return () => request.current.abort();
  }, [reports, days]);
  const sum = sumOf(days, reports.known);
  return (
    <section>
      <Heading title={texts.days} />
      <nav class="range" aria-label={t.range}>
        {DAY_COUNTS.map((each) => (
          <a
            key={each}
            href={formatPlace({ screen: 'days', count: each })}
            aria-current={each === count ? 'page' : undefined}
          >
            {t.last(each)}
          </a>
        ))}
      </nav>
      <p class="small">{t.hint}</p>
      <p role="status">
        {reports.isLoading && sum.notLoaded > 0 && t.loading(sum.notLoaded)}
        {!reports.isLoading && sum.reported > 0 && sum.missing > 0 && t.missing(sum.missing)}
      </p>
      {reports.error !== null && !reports.isLoading && (
        <>
          <p>{t.failed(sum.notLoaded)}</p>
          <Failure error={reports.error} onRetry={load} />
        </>
      )}
      {sum.leftOut > 0 && <p class="message">{t.leftOut(sum.leftOut)}</p>}
      {!sum.notLoaded && !sum.reported && <p>{t.none}</p>}
      {!sum.notLoaded && sum.reported > 0 && !sum.currencies.length && <p>{t.noOrders}</p>}
      {sum.currencies.length > 0 && (
        <div class="days">
          <div>
            {sum.currencies.map((each) => (
              <Currency key={each.currency} days={days} sum={each} />
            ))}
          </div>
          <div>
            {sum.currencies.map(({ currency, statuses }) => (
              <Bars
                key={currency}
                caption={t.statuses(currency)}
                counts={statuses.map(([name, orders]) => [texts.status(name), orders])}
              />
            ))}
            {sum.reasons.length > 0 && (
              <Bars
                caption={t.reasons}
                counts={sum.reasons.map(([name, orders]) => [texts.reason(name), orders])}
              />
            )}
          </div>
        </div>
      )}
    </section>
  );
}

function Currency({ days, sum }: { days: readonly string[]; sum: CurrencySum }) {
  const { currency, revenuePerDay, ordersPerDay } = sum;
  const inMoney = (amount: number | bigint) => {
    const text = money(amount, currency);
    return Number.isSafeInteger(amount) || (typeof amount === 'bigint' && sum.isExact)
      ? text
      : t.rounded(text);
  };
  const revenue = inMoney(sum.revenue);
  const orders = texts.number(sum.orders);
  const most = Math.max(...revenuePerDay.map((amount) => amount ?? 0));
  const room = [8_888_888, most].map((amount) => shortMoney(amount, currency));
  return (
    <section>
      <h2>{t.sum(currency, sum.orders, revenue)}</h2>
      <figure>
        <figcaption>{t.revenue(currency)}</figcaption>
        <Plot
          label={essence(t.revenue(currency), days, revenuePerDay, revenue, inMoney)}
          days={days}
          values={revenuePerDay}
          long={inMoney}
          short={(amount) => shortMoney(amount, currency)}
          room={room}
        />
      </figure>
      <figure>
        <figcaption>{t.placed(currency)}</figcaption>
        <Plot
          label={essence(t.placed(currency), days, ordersPerDay, orders, texts.number)}
          days={days}
          values={ordersPerDay}
          long={t.ordersOf}
          short={texts.number}
          room={room}
        />
      </figure>
      <details>
        <summary>{t.asTable(currency)}</summary>
        <table class="per-day">
          <caption>{t.perDay(currency)}</caption>
          <thead>
            <tr>
              <th scope="col">{t.day}</th>
              <th scope="col" class="number">
                {t.orders}
              </th>
              <th scope="col" class="number">
                {t.money}
              </th>
            </tr>
          </thead>
          <tbody>
            {days.map((date, index) => {
              const [orders, revenue] = [ordersPerDay[index], revenuePerDay[index]];
              if (orders === undefined || revenue === undefined) return null;
              return (
                <tr key={date}>
                  <th scope="row">{day(date)}</th>
                  {orders === null || revenue === null ? (
                    <td colSpan={2} class="number">
                      {t.noReport}
                    </td>
                  ) : (
                    <>
                      <td class="number">{texts.number(orders)}</td>
                      <td class="number">{inMoney(revenue)}</td>
                    </>
                  )}
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t.total}</th>
              <td class="number">{orders}</td>
              <td class="number">{revenue}</td>
            </tr>
          </tfoot>
        </table>
      </details>
    </section>
  );
}

/** What a plot shows, in words. */
function essence(
  title: string,
  days: readonly string[],
  values: PerDay,
  total: string,
  inWords: (value: number) => string,
): string {
  const most = Math.max(...values.map((value) => value ?? 0));
  const [first = '', last = ''] = [days[0], days.at(-1)].map((date) => date && day(date));
  return t.plot(title, first, last, total, inWords(most), day(days[values.indexOf(most)] ?? ''));
}

/** Both a plot and a table. */
function Bars({ caption, counts }: { caption: string; counts: Counts }) {
  const most = Math.max(...counts.map(([, count]) => count));
  return (
    <table class="bars">
      <caption>{caption}</caption>
      <tbody>
        {counts.map(([name, count]) => (
          <tr key={name}>
            <th scope="row">
              {name}
              <span class="bar" style={{ width: `${(100 * count) / most}%` }} />
            </th>
            <td class="number">{texts.number(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
