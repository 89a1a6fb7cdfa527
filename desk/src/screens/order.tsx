import { useEffect, useRef, useState } from 'preact/hooks';

import type { Api, Order, TimelineEvent } from '../api';
import type { Feed } from '../feed';
import { type Shortcut, useShortcuts } from '../keyboard';
import { money } from '../money';
import type { OrderList } from '../order-list';
import { Heading } from '../parts/heading';
import { Failure, Money, Status, Time } from '../parts/show';
import { formatPlace, go, type Place } from '../place';
import { texts } from '../texts';
import { type Step, useChange } from '../use-change';

const t = texts.order;

interface Loaded {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
}

interface Props {
  readonly api: Api;
  readonly feed: Feed;
  /** The list that the reader comes from, if any. */
  readonly list: OrderList | null;
  readonly id: string;
}

/** Loads the order, and shows it as it was loaded until the reader asks for what is new. */
export function OrderScreen({ api, feed, list, id }: Props) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    setError(null);
    Promise.all([api.getOrder(id, signal), api.getTimeline(id, signal)]).then(
      ([{ body: order }, events]) => setLoaded({ order, events }),
      (reason: unknown) => {
        if (!signal.aborted) setError(reason);
      },
    );
    return () => leaving.abort();
  }, [api, id, attempt]);
  const reload = () => setAttempt((count) => count + 1);
  if (error !== null) return <Failure error={error} onRetry={reload} />;
  if (!loaded) return <p role="status">{texts.loading}</p>;
  return <LoadedOrder api={api} feed={feed} list={list} loaded={loaded} onReload={reload} />;
}

interface LoadedProps {
  readonly api: Api;
  readonly feed: Feed;
  readonly list: OrderList | null;
  readonly loaded: Loaded;
  readonly onReload: () => void;
}

function LoadedOrder({ api, feed, list, loaded, onReload }: LoadedProps) {
  const { order, events } = loaded;
  const news = useNews(feed, order);
  const change = useChange(api, order, (outcome) => {
    if (outcome.kind === 'done') list?.takeOrder(outcome.order);
    onReload();
  });
  const { step } = change;
  const neighbors = useNeighbors(list, order);
  const shortcuts: Shortcut[] = [
    ...(step.at === 'rest'
      ? order.allowedTransitions.map((status) => ({
          key: String(status).charAt(0).toLowerCase(),
          does: texts.change(String(status)),
          run: () => change.ask(String(status)),
        }))
      : []),
    { key: 'n', does: t.next, run: () => neighbors.go(1) },
    { key: 'b', does: t.previous, run: () => neighbors.go(-1) },
    { key: 'u', does: t.back, run: () => go(neighbors.place) },
  ];
  useShortcuts(shortcuts);
  return (
    <article class="order">
      <nav aria-label={t.back} class="between">
        <a href={formatPlace(neighbors.place)}>{t.back}</a>
      </nav>
      <header>
        <Heading title={t.title(order.orderNumber)}>
          <span class="order-number">{order.orderNumber}</span>
        </Heading>
        <Status status={order.status} />
        <strong class="amount">
          <Money amount={order.amount} currency={order.currency} />
        </strong>
      </header>
      <Actions
        order={order}
        events={events}
        change={change}
        onNext={() => neighbors.go(1)}
        hasList={list !== null}
      />
      <p role="status">{neighbors.isLast && t.last}</p>
      {news && step.at !== 'work' && (
        <p class="message" role="status">
          {t.news(news)}{' '}
          <button type="button" onClick={onReload}>
            {t.reload}
          </button>
        </p>
      )}
      <Items order={order} />
      <Facts order={order} />
      <section aria-labelledby="history">
        <h2 id="history">{t.history}</h2>
        <ol class="timeline">
          {events.map((event) => (
            <Event key={event.version} event={event} />
          ))}
        </ol>
      </section>
    </article>
  );
}

/** The status that the feed tells of a later version. */
function useNews(feed: Feed, order: Order): string | null {
  const [news, setNews] = useState<string | null>(null);
  useEffect(() => {
    setNews(null);
    return feed.read((events) => {
      for (const { data } of events) {
        if (data.orderId === order.orderId && data.version > order.version) setNews(data.status);
      }
    });
  }, [feed, order.orderId, order.version]);
  return news;
}

function useNeighbors(list: OrderList | null, order: Order) {
  const [isLast, setIsLast] = useState(false);
  useEffect(() => setIsLast(false), [order.orderId]);
  const place: Place = list?.place ?? {
    screen: 'orders',
    status: order.status,
    from: '',
    to: '',
    oldestFirst: true,
  };
  return {
    place,
    isLast,
    async go(step: 1 | -1) {
      const next = await list?.neighbor(order.orderId, step);
      if (!list || !next) {
        setIsLast(step === 1);
        return;
      }
      list.opened = next.orderNumber;
      go({ screen: 'order', id: next.orderNumber });
    },
  };
}

interface ActionsProps {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
  readonly change: ReturnType<typeof useChange>;
  readonly hasList: boolean;
  readonly onNext: () => void;
}

function Actions({ order, events, change, hasList, onNext }: ActionsProps) {
  const { step } = change;
  const next = useRef<HTMLButtonElement>(null);
  const done = step.at === 'rest' ? step.done : undefined;
  useEffect(() => {
    if (done) next.current?.focus();
  }, [done]);
  return (
    <div class="actions">
      {step.at === 'rest' && (
        <>
          {order.allowedTransitions.map(String).map((status, index) => (
            <button
              key={status}
              type="button"
              class={index === 0 ? 'primary' : ''}
              onClick={() => change.ask(status)}
            >
              {texts.change(status)}
            </button>
          ))}
          {order.allowedTransitions.length === 0 && !done && <p>{t.final}</p>}
          <p role="status">{done && t.done(done)}</p>
          {hasList && (
            <button ref={next} type="button" onClick={onNext}>
              {t.next}
            </button>
          )}
        </>
      )}
      {step.at === 'work' && (
        <div role="status">
          <p>
            {!step.waiting && t.sending}
            {step.waiting && (step.waiting.because === 'busy' ? t.busy : t.noResponse)}
          </p>
          {step.waiting && (
            <button type="button" onClick={change.tryNow}>
              {t.tryNow}
            </button>
          )}
        </div>
      )}
      {step.at === 'question' && (
        <Question order={order} events={events} step={step} change={change} />
      )}
    </div>
  );
}

interface QuestionProps {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
  readonly step: Extract<Step, { at: 'question' }>;
  readonly change: ReturnType<typeof useChange>;
}

/** Asks before a change: with what happened meanwhile, or why it was refused, if it was. */
function Question({ order, events, step, change }: QuestionProps) {
  const { draft, outdated, refused } = step;
  const submit = useRef<HTMLButtonElement>(null);
  const reason = useRef<HTMLTextAreaElement>(null);
  useEffect(() => (reason.current ?? submit.current)?.focus(), []);
  const isKnown = outdated === undefined || order.version > outdated;
  const isPossible = order.allowedTransitions.map(String).includes(draft.status);
  const fault = refused && whyRefused(refused);
  return (
    <form
      class="question"
      aria-label={texts.change(draft.status)}
      onSubmit={(event) => {
        event.preventDefault();
        change.submit(draft);
      }}
    >
      {outdated !== undefined && (
        <div class="message" role="alert">
          <p>{t.conflict}</p>
          <ol class="timeline">
            {events
              .filter(({ version }) => version > outdated)
              .map((event) => (
                <Event key={event.version} event={event} />
              ))}
          </ol>
          {isKnown && <p>{isPossible ? t.conflictAgain : t.conflictOver}</p>}
        </div>
      )}
      {fault && (
        <p class="message failure" role="alert">
          {t.refused(fault)}
        </p>
      )}
      {isPossible && (
        <>
          <p class="asked">{t.confirm(draft.status, money(order.amount, order.currency))}</p>
          {draft.status === 'CANCELED' && (
            <label>
              {t.reason} <span class="small">{t.reasonHint}</span>
              <textarea
                ref={reason}
                maxLength={500}
                rows={2}
                value={draft.reason}
                onInput={(event) => change.write({ ...draft, reason: event.currentTarget.value })}
              />
            </label>
          )}
        </>
      )}
      <div class="buttons">
        {isPossible && (
          <button ref={submit} type="submit" class="primary" disabled={!isKnown}>
            {texts.change(draft.status)}
          </button>
        )}
        <button type="button" onClick={change.dismiss}>
          {t.keep}
        </button>
      </div>
    </form>
  );
}

function whyRefused({
  problem,
  status,
}: NonNullable<Extract<Step, { at: 'question' }>['refused']>) {
  return problem?.errors?.[0]?.detail ?? problem?.detail ?? texts.problem.other(status);
}

function Event({ event }: { event: TimelineEvent }) {
  const { status, previousStatus, actor, actorId, reason, changedAt } = event;
  return (
    <li>
      <Status status={status}>
        {previousStatus === null ? t.began : previousStatus === status ? t.forgotten : undefined}
      </Status>{' '}
      {texts.actor(actor, actorId)} {reason !== null && <q>{texts.reason(reason)}</q>}{' '}
      <Time at={changedAt} />
    </li>
  );
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
              <span class="name">{name}</span>
              <span class="small sku">{sku}</span>
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

function Facts({ order }: { order: Order }) {
  const { customerId, metadata } = order;
  const customer: Place = { screen: 'customer', customerId, from: '', to: '', oldestFirst: false };
  const notes = Object.entries(metadata);
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
      {notes.length > 0 && (
        <>
          <dt>{t.notes}</dt>
          {notes.map(([name, value]) => (
            <dd key={name}>
              <span class="small">{name}</span> {value}
            </dd>
          ))}
        </>
      )}
    </dl>
  );
}
