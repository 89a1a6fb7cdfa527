import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { OrderSummary } from '../api';
import { OPEN_STATUSES, STATUSES } from '../generated/domain';
import { useShortcuts } from '../keyboard';
import { useObservable } from '../observable';
import type { OrderList } from '../order-list';
import { Heading } from '../parts/heading';
import { Failure, Money, Status, Time } from '../parts/show';
import { formatPlace, go, type ListPlace } from '../place';
import { texts } from '../texts';
import { age } from '../time';

const t = texts.orders;

interface Props {
  readonly list: OrderList;
  readonly onRefresh: () => void;
}

export function Orders({ list, onRefresh }: Props) {
  useObservable(list);
  const now = useMinute();
  const { place } = list;
  const fault = faultOf(place);
  const table = useRef<HTMLTableElement>(null);
  const links = () => [...(table.current?.querySelectorAll('a') ?? [])];
  const move = (step: number) => {
    const all = links();
    const at = all.indexOf(document.activeElement as HTMLAnchorElement);
    const next = all[at < 0 ? 0 : at + step];
    next?.focus();
    if (all.length - at < 5) void list.loadMore();
  };
  useShortcuts([
    { key: 'j', does: texts.keys.down, run: () => move(1), repeats: true },
    { key: 'ArrowDown', does: texts.keys.down, run: () => move(1), repeats: true },
    { key: 'k', does: texts.keys.up, run: () => move(-1), repeats: true },
    { key: 'ArrowUp', does: texts.keys.up, run: () => move(-1), repeats: true },
    { key: 'r', does: texts.keys.refresh, run: onRefresh },
  ]);
  useEffect(() => {
    const opened = document.getElementById(list.opened);
    scrollTo(0, list.scrolled);
    opened?.focus({ preventScroll: true });
    opened?.closest('tr')?.scrollIntoView({ block: 'nearest' });
    if (!list.pages.length && !fault) void list.loadMore();
  }, [list]);
  const title =
    place.screen === 'customer' ? t.ofCustomer(place.customerId) : texts.list(place.status);
  const hasNews = list.news.size > 0 || list.isOutdated;
  return (
    <section>
      <header class="head">
        <Heading title={title} />
        {/* In the place of the button, so that nothing moves. */}
        <p role="status" class="news">
          <button type="button" class={hasNews ? 'primary' : ''} onClick={onRefresh}>
            {list.isOutdated ? t.outdated : hasNews ? t.news(list.news.size) : t.refresh}
          </button>
        </p>
      </header>
      <Filter key={title} place={place} />
      {list.orders.length > 0 && (
        <table ref={table} class="orders" role="table">
          {/* The roles, since some browsers take them away with the layout of a table. */}
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                {t.number}
              </th>
              <th role="columnheader" scope="col" class="customer">
                {place.screen === 'customer' ? t.status : t.customer}
              </th>
              <th role="columnheader" scope="col" class="placed">
                {t.placed}
              </th>
              <th role="columnheader" scope="col" class="number sum">
                {t.amount}
              </th>
            </tr>
          </thead>
          {list.pages.map((page, index) => (
            <Page
              key={index}
              orders={page}
              place={place}
              changedTo={changesOf(page, list.changedTo)}
              now={now}
              onOpen={(order) => {
                list.opened = order.orderNumber;
                list.scrolled = scrollY;
              }}
            />
          ))}
        </table>
      )}
      {fault ? <p class="message">{fault}</p> : <End list={list} />}
    </section>
  );
}

/** Why there can't be such a list. */
function faultOf(place: ListPlace): string {
  if (place.screen === 'orders' && !STATUSES.includes(place.status)) {
    return t.noStatus(place.status);
  }
  return place.to && place.from > place.to ? t.backwards : '';
}

/** The time, to the minute. */
function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** As text, so that a page that nothing has happened to is not drawn again. */
function changesOf(page: readonly OrderSummary[], changedTo: ReadonlyMap<string, string>): string {
  if (!changedTo.size) return '';
  return page.map(({ orderId }) => changedTo.get(orderId) ?? '').join();
}

interface PageProps {
  readonly orders: readonly OrderSummary[];
  readonly place: ListPlace;
  readonly changedTo: string;
  readonly now: number;
  readonly onOpen: (order: OrderSummary) => void;
}

/** Drawn again only if something in it has changed: there may be hundreds of pages. */
function Page({ orders, place, changedTo, now, onOpen }: PageProps) {
  return useMemo(() => {
    const changes = changedTo.split(',');
    return (
      <tbody role="rowgroup">
        {orders.map((order, index) => {
          const change = changes[index];
          return (
            <tr key={order.orderId} role="row" class={change ? 'changed' : ''}>
              <th scope="row" role="rowheader">
                <a
                  id={order.orderNumber}
                  href={formatPlace({ screen: 'order', id: order.orderNumber })}
                  onClick={() => onOpen(order)}
                >
                  {order.orderNumber}
                </a>{' '}
                {change && <Status status={change}>{t.now(change)}</Status>}
              </th>
              <td role="cell" class="customer">
                {place.screen === 'customer' ? <Status status={order.status} /> : order.customerId}
              </td>
              <td role="cell" class="placed">
                <Time at={order.createdAt} />{' '}
                {OPEN_STATUSES.includes(order.status) && (
                  <span class="age">{t.ago(age(order.createdAt, now))}</span>
                )}
              </td>
              <td role="cell" class="number sum">
                <Money amount={order.amount} currency={order.currency} />
              </td>
            </tr>
          );
        })}
      </tbody>
    );
  }, [orders, changedTo, now]);
}

const EARLIEST = '2000-01-01';

function Filter({ place }: { place: ListPlace }) {
  const change = (range: Partial<ListPlace>) => go({ ...place, ...range } as ListPlace);
  // While a year is being typed, it is one of long ago.
  const taken = (input: HTMLInputElement, name: 'from' | 'to') => {
    if (input.validity.valid) change({ [name]: input.value });
  };
  const form = (
    <form class="filter" onSubmit={(event) => event.preventDefault()}>
      <label>
        {t.from}
        <input
          type="date"
          min={EARLIEST}
          value={place.from}
          onChange={(event) => taken(event.currentTarget, 'from')}
        />
      </label>
      <label>
        {t.to}
        <input
          type="date"
          min={EARLIEST}
          value={place.to}
          onChange={(event) => taken(event.currentTarget, 'to')}
        />
      </label>
      <label>
        {t.sort}
        <select
          value={place.oldestFirst ? 'oldest' : 'newest'}
          onChange={(event) => change({ oldestFirst: event.currentTarget.value === 'oldest' })}
        >
          <option value="oldest">{t.oldest}</option>
          <option value="newest">{t.newest}</option>
        </select>
      </label>
    </form>
  );
  const [isOpen, setOpen] = useState(false);
  if (!useIsNarrow()) return form;
  return (
    <details
      open={isOpen || place.from !== '' || place.to !== ''}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>{t.filter}</summary>
      {form}
    </details>
  );
}

const narrow = matchMedia('(max-width: 40rem)');

function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const follow = () => setNarrow(narrow.matches);
    narrow.addEventListener('change', follow);
    return () => narrow.removeEventListener('change', follow);
  }, []);
  return isNarrow;
}

/** Below the last row: what is loaded, and the next page as soon as it comes into view. */
function End({ list }: { list: OrderList }) {
  const end = useRef<HTMLDivElement>(null);
  const { length } = list.orders;
  const pages = list.pages.length;
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !list.error) void list.loadMore();
      },
      { rootMargin: '600px' },
    );
    if (end.current && pages) observer.observe(end.current);
    return () => observer.disconnect();
  }, [list, pages]);
  const isEmpty = list.isComplete && length === 0;
  return (
    <div ref={end} class="end">
      {list.error !== null && <Failure error={list.error} onRetry={() => void list.loadMore()} />}
      <p role="status">
        {pages > 0 && (isEmpty ? t.none : texts.ordersShown(length))}
        {pages === 0 && list.error === null && texts.loading}
      </p>
      {pages > 0 && !list.isComplete && list.error === null && (
        <button type="button" onClick={() => void list.loadMore()}>
          {list.isLoading ? texts.loading : t.more}
        </button>
      )}
    </div>
  );
}
