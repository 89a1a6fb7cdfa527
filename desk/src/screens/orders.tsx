import { memo } from 'preact/compat';
import { useEffect, useRef } from 'preact/hooks';

import type { OrderSummary } from '../api';
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
  const { place } = list;
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
    { key: 'j', does: texts.keys.down, run: () => move(1) },
    { key: 'ArrowDown', does: texts.keys.down, run: () => move(1) },
    { key: 'k', does: texts.keys.up, run: () => move(-1) },
    { key: 'ArrowUp', does: texts.keys.up, run: () => move(-1) },
    { key: 'r', does: texts.keys.refresh, run: onRefresh },
  ]);
  useEffect(() => {
    if (!list.pages.length) void list.loadMore();
    else if (list.opened) document.getElementById(list.opened)?.focus();
  }, [list]);
  const title =
    place.screen === 'customer' ? t.ofCustomer(place.customerId) : texts.list(place.status);
  return (
    <section>
      <Heading title={title} />
      <Filter place={place} onRefresh={onRefresh} />
      <p role="status" class="news">
        {list.news.size > 0 && (
          <>
            {t.news(list.news.size)}{' '}
            <button type="button" onClick={onRefresh}>
              {t.showNews}
            </button>
          </>
        )}
      </p>
      {list.pages.length > 0 && list.orders.length > 0 && (
        <table ref={table} class="orders">
          <thead>
            <tr>
              <th scope="col">{t.number}</th>
              {place.screen === 'customer' && <th scope="col">{t.status}</th>}
              <th scope="col" class="number">
                {t.amount}
              </th>
              <th scope="col">
                {place.screen === 'orders' && place.status === 'PENDING' ? t.waiting : t.placed}
              </th>
            </tr>
          </thead>
          {list.pages.map((page, index) => (
            <Page
              key={index}
              orders={page}
              place={place}
              changedTo={changesOf(page, list.changedTo)}
              onOpen={(order) => {
                list.opened = order.orderNumber;
              }}
            />
          ))}
        </table>
      )}
      <End list={list} />
    </section>
  );
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
  readonly onOpen: (order: OrderSummary) => void;
}

const Page = memo(
  ({ orders, place, changedTo, onOpen }: PageProps) => {
    const changes = changedTo.split(',');
    const now = Date.now();
    return (
      <tbody>
        {orders.map((order, index) => {
          const change = changes[index];
          return (
            <tr key={order.orderId} class={change ? 'changed' : ''}>
              <th scope="row">
                <a
                  id={order.orderNumber}
                  href={formatPlace({ screen: 'order', id: order.orderNumber })}
                  onClick={() => onOpen(order)}
                >
                  {order.orderNumber}
                </a>{' '}
                {change && <Status status={change}>{t.now(change)}</Status>}
                {place.screen === 'orders' && (
                  <span class="small customer">{order.customerId}</span>
                )}
              </th>
              {place.screen === 'customer' && (
                <td>
                  <Status status={order.status} />
                </td>
              )}
              <td class="number">
                <Money amount={order.amount} currency={order.currency} />
              </td>
              <td>
                <Time at={order.createdAt}>
                  {order.status === 'PENDING' ? age(order.createdAt, now) : undefined}
                </Time>
              </td>
            </tr>
          );
        })}
      </tbody>
    );
  },
  (before, after) => before.orders === after.orders && before.changedTo === after.changedTo,
);

function Filter({ place, onRefresh }: { place: ListPlace; onRefresh: () => void }) {
  const change = (range: Partial<ListPlace>) => go({ ...place, ...range } as ListPlace);
  return (
    <form class="filter" onSubmit={(event) => event.preventDefault()}>
      <label>
        {t.from}
        <input
          type="date"
          value={place.from}
          onChange={(event) => change({ from: event.currentTarget.value })}
        />
      </label>
      <label>
        {t.to}
        <input
          type="date"
          value={place.to}
          onChange={(event) => change({ to: event.currentTarget.value })}
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
      <button type="button" onClick={onRefresh}>
        {t.refresh}
      </button>
    </form>
  );
}

/** Below the last row: what is loaded, and the next page as soon as it comes into view. */
function End({ list }: { list: OrderList }) {
  const end = useRef<HTMLDivElement>(null);
  const { length } = list.orders;
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !list.error) void list.loadMore();
      },
      { rootMargin: '600px' },
    );
    if (end.current && list.pages.length) observer.observe(end.current);
    return () => observer.disconnect();
  }, [list, length]);
  return (
    <div ref={end} class="end">
      {list.error !== null && <Failure error={list.error} onRetry={() => void list.loadMore()} />}
      {list.isLoading && <p role="status">{texts.loading}</p>}
      {list.isComplete && <p>{length === 0 ? t.none : texts.ordersShown(length)}</p>}
      {!list.isComplete && !list.isLoading && !list.error && list.pages.length > 0 && (
        <>
          <p>{texts.ordersShown(length)}</p>
          <button type="button" onClick={() => void list.loadMore()}>
            {t.more}
          </button>
        </>
      )}
    </div>
  );
}
