import { Fragment } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

import { type Api, type Order, Refusal, type TimelineEvent } from '../api';
import type { Changes } from '../changes';
import type { Feed } from '../feed';
import { useShortcuts } from '../keyboard';
import type { OrderList } from '../order-list';
import { Actions } from '../parts/change';
import { Heading } from '../parts/heading';
import { Failure, inWords, Money, Status, Time } from '../parts/show';
import { Timeline } from '../parts/timeline';
import { formatPlace, go, type Place, statusPlace } from '../place';
import { texts } from '../texts';

const t = texts.order;

interface Loaded {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
}

interface Props {
  readonly api: Api;
  readonly feed: Feed;
  readonly changes: Changes;
  /** The list that the reader comes from, if any. */
  readonly list: OrderList | null;
  readonly id: string;
}

/** Loads the order, and shows it as it was loaded until the reader asks for what is new. */
export function OrderScreen({ api, feed, changes, list, id }: Props) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const reload = () => setAttempt((count) => count + 1);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    Promise.all([api.getOrder(id, signal), api.getTimeline(id, signal)]).then(
      ([{ body: order }, events]) => {
        setLoaded({ order, events });
        setError(null);
      },
      (reason: unknown) => {
        if (!signal.aborted) setError(reason);
      },
    );
    return () => leaving.abort();
  }, [api, id, attempt]);
  useLayoutEffect(
    () =>
      changes.read((outcome, { orderNumber }) => {
        if (loaded && loaded.order.orderNumber !== orderNumber) return;
        // At once, so that what the order was can't be changed again.
        if (loaded && outcome.kind === 'done' && outcome.order.version > loaded.order.version) {
          setLoaded({ ...loaded, order: outcome.order });
        }
        reload();
      }),
    [changes, loaded],
  );
  useLayoutEffect(() => {
    // The button that was pressed may be gone.
    if (document.activeElement === document.body) document.querySelector('h1')?.focus();
  }, [loaded, error]);
  const order = loaded?.order;
  const isNotFound = error instanceof Refusal && error.status === 404;
  const neighbors = useNeighbors(list, order);
  const back = { key: 'u', does: t.back, run: () => go(neighbors.place) };
  const shortcuts = [
    { key: 'n', does: t.next, run: () => void neighbors.go(1) },
    { key: 'b', does: t.previous, run: () => void neighbors.go(-1) },
    back,
  ];
  useShortcuts(neighbors.areKnown ? shortcuts : [back]);
  return (
    <article class="order">
      <nav aria-label={t.back} class="between">
        <a href={formatPlace(neighbors.place)}>{t.back}</a>
      </nav>
      <header>
        <Heading title={t.title(order?.orderNumber ?? id)}>
          {order ? <span class="order-number">{order.orderNumber}</span> : id}
        </Heading>
        {order && (
          <>
            <Status status={order.status} />
            <strong class="amount">
              <Money amount={order.amount} currency={order.currency} />
            </strong>
          </>
        )}
      </header>
      {isNotFound ? (
        <p class="message failure" role="alert">
          {inWords(error)} <a href={formatPlace(neighbors.place)}>{t.back}</a>
        </p>
      ) : (
        error !== null && <Failure error={error} onRetry={reload} />
      )}
      <p role="status">{loaded || error !== null ? neighbors.said : texts.loading}</p>
      {loaded && (
        <>
          <Actions
            {...loaded}
            changes={changes}
            taken={shortcuts.map(({ key }) => key)}
            onNext={neighbors.areKnown ? () => void neighbors.go(1) : undefined}
          />
          <News feed={feed} order={loaded.order} onShow={reload} />
          <Notes order={loaded.order} />
          <Items order={loaded.order} />
          <Facts order={loaded.order} />
          <section aria-labelledby="history">
            <h2 id="history">{t.history}</h2>
            <Timeline events={loaded.events} />
          </section>
        </>
      )}
    </article>
  );
}

/** Says that the feed tells of a later version. */
function News({ feed, order, onShow }: { feed: Feed; order: Order; onShow: () => void }) {
  const { orderId, version } = order;
  const [news, setNews] = useState({ version, status: '' });
  useEffect(
    () =>
      feed.read((events) => {
        for (const { data } of events) {
          if (data.orderId === orderId && data.version > version) setNews(data);
        }
      }),
    [feed, orderId, version],
  );
  const isNew = news.version > version;
  return (
    <p role="status" class={isNew ? 'message' : ''}>
      {isNew && (
        <>
          {t.news(news.status)}{' '}
          <button type="button" onClick={onShow}>
            {t.reload}
          </button>
        </>
      )}
    </p>
  );
}

function useNeighbors(list: OrderList | null, order: Order | undefined) {
  const [said, setSaid] = useState('');
  const place: Place = list?.place ?? statusPlace(order?.status ?? 'PAID');
  return {
    place,
    said,
    areKnown: list?.orders.some(({ orderId }) => orderId === order?.orderId) ?? false,
    async go(step: 1 | -1) {
      if (!list || !order) return;
      const here = location.hash;
      const next = await list.neighbor(order.orderId, step);
      if (location.hash !== here) return;
      if (next) {
        list.opened = next.orderNumber;
        go({ screen: 'order', id: next.orderNumber });
      } else if (step === 1) {
        setSaid(list.error === null ? t.last : inWords(list.error));
      }
    },
  };
}

function Items({ order }: { order: Order }) {
  return (
    <table class="items">
      <caption>{t.items}</caption>
      <thead>
        <tr>
          <th scope="col" class="number">
            {t.quantity}
          </th>
          <th scope="col">{t.item}</th>
          <th scope="col" class="number">
            {t.unitAmount}
          </th>
        </tr>
      </thead>
      <tbody>
        {order.items.map(({ sku, name, quantity, unitAmount }, index) => (
          <tr key={index}>
            <td class="number quantity">{quantity}</td>
            <th scope="row">
              <bdi class="name">{name}</bdi>
              <bdi class="small sku">{sku}</bdi>
            </th>
            <td class="number">
              <Money amount={unitAmount} currency={order.currency} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Such as what to write on the gift: before the items, for whoever packs. */
function Notes({ order }: { order: Order }) {
  const notes = Object.entries(order.metadata);
  if (!notes.length) return null;
  return (
    <section aria-labelledby="notes" class="notes">
      <h2 id="notes">{t.notes}</h2>
      <dl class="facts">
        {notes.map(([name, value]) => (
          <Fragment key={name}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </Fragment>
        ))}
      </dl>
    </section>
  );
}

function Facts({ order }: { order: Order }) {
  const { customerId } = order;
  const customer: Place = { screen: 'customer', customerId, from: '', to: '', oldestFirst: false };
  return (
    <dl class="facts">
      <dt>{t.customer}</dt>
      <dd>
        <a href={formatPlace(customer)}>{customerId}</a>
      </dd>
      <dt>{t.placed}</dt>
      <dd>
        <Time at={order.createdAt} />
      </dd>
      <dt>{t.changed}</dt>
      <dd>
        <Time at={order.updatedAt} />
      </dd>
      <dt>{t.orderId}</dt>
      <dd class="id">{order.orderId}</dd>
    </dl>
  );
}
