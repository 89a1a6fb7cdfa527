import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import type { Api, Order, TimelineEvent } from '../api';
import type { Changes, Step } from '../changes';
import type { Feed } from '../feed';
import { useShortcuts } from '../keyboard';
import { money } from '../money';
import { useObservable } from '../observable';
import type { OrderList } from '../order-list';
import { Heading } from '../parts/heading';
import { Failure, inWords, Money, Status, Time } from '../parts/show';
import { formatPlace, go, type Place } from '../place';
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
  const neighbors = useNeighbors(list, order);
  useShortcuts([
    ...(neighbors.areKnown
      ? [
          { key: 'n', does: t.next, run: () => void neighbors.go(1) },
          { key: 'b', does: t.previous, run: () => void neighbors.go(-1) },
        ]
      : []),
    { key: 'u', does: t.back, run: () => go(neighbors.place) },
  ]);
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
      {error !== null && <Failure error={error} onRetry={reload} />}
      <p role="status">{loaded || error !== null ? neighbors.said : texts.loading}</p>
      {loaded && (
        <>
          <Actions
            {...loaded}
            changes={changes}
            onNext={neighbors.areKnown ? () => void neighbors.go(1) : undefined}
          />
          <News feed={feed} order={loaded.order} onShow={reload} />
          <Items order={loaded.order} />
          <Facts order={loaded.order} />
          <section aria-labelledby="history">
            <h2 id="history">{t.history}</h2>
            <ol class="timeline">
              {loaded.events.map((event) => (
                <Event key={event.version} event={event} />
              ))}
            </ol>
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
  const place: Place = list?.place ?? {
    screen: 'orders',
    status: order?.status ?? 'PAID',
    from: '',
    to: '',
    oldestFirst: true,
  };
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

/** For each status the first letter of its name that is no other's, and no other shortcut's. */
function keysOf(statuses: readonly string[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const status of statuses) {
    const key = status
      .toLowerCase()
      .match(/[ac-mo-tv-z]/g)
      ?.find((letter) => !keys.has(letter));
    if (key !== undefined) keys.set(key, status);
  }
  return keys;
}

interface ActionsProps {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
  readonly changes: Changes;
  readonly onNext: (() => void) | undefined;
}

function Actions({ order, events, changes, onNext }: ActionsProps) {
  const step = useObservable(changes).step(order.orderNumber);
  const done = step.at === 'rest' && step.done === order.status;
  const statuses = order.allowedTransitions.map(String);
  const ask = (status: string) => changes.ask(order, status);
  const keys = [...(step.at === 'rest' ? keysOf(statuses) : [])];
  useShortcuts(
    keys.map(([key, status]) => ({ key, does: texts.change(status), run: () => ask(status) })),
  );
  return (
    <div {...useFocusOnStep(step.at, done)} role="group" aria-label={t.actions} class="actions">
      {step.at === 'rest' && (
        <>
          {statuses.map((status, index) => (
            <button
              key={status}
              type="button"
              class={index === 0 ? 'primary' : ''}
              onClick={() => ask(status)}
            >
              {texts.change(status)}
            </button>
          ))}
          {statuses.length === 0 && !done && <p>{t.final}</p>}
          {onNext && (
            <button type="button" class="next" onClick={onNext}>
              {t.next}
            </button>
          )}
        </>
      )}
      {step.at === 'question' && (
        <Question order={order} events={events} step={step} changes={changes} />
      )}
      {step.at === 'work' && step.waiting && (
        <button type="button" onClick={changes.tryNow}>
          {t.tryNow}
        </button>
      )}
      <p role="status">
        {done && t.done(order.status)}
        {step.at === 'work' && said(step)}
      </p>
    </div>
  );
}

function said({ waiting }: Extract<Step, { at: 'work' }>): string {
  if (!waiting) return t.sending;
  return waiting.because === 'busy' ? t.busy : t.noResponse;
}

/**
 * The properties of the element that the steps are shown in: the focus goes on to what is next,
 * unless somebody is typing elsewhere; and a double click or a key held down presses one button.
 */
function useFocusOnStep(at: Step['at'], done: boolean) {
  const element = useRef<HTMLDivElement>(null);
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    const { current } = element;
    const focused = document.activeElement;
    if (!current || focused?.matches('input, select')) return;
    const next =
      at === 'question'
        ? current.querySelector<HTMLElement>('textarea, button:enabled')
        : done && current.querySelector<HTMLElement>('.next');
    (next || current).focus();
  });
  return {
    ref: element,
    tabIndex: -1,
    onClickCapture(event: MouseEvent) {
      if (event.detail < 2) return;
      event.preventDefault();
      event.stopPropagation();
    },
    onKeyDownCapture(event: KeyboardEvent) {
      const isButton = event.target instanceof HTMLButtonElement;
      if (isButton && event.repeat && event.key === 'Enter') event.preventDefault();
    },
  };
}

interface QuestionProps {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
  readonly step: Extract<Step, { at: 'question' }>;
  readonly changes: Changes;
}

/** Asks before a change: with what happened meanwhile, or why it was refused, if it was. */
function Question({ order, events, step, changes }: QuestionProps) {
  const { draft, outdated, refused } = step;
  const isKnown = outdated === undefined || order.version > outdated;
  const isPossible = order.allowedTransitions.map(String).includes(draft.status);
  const change = texts.change(draft.status);
  const faultOfReason = refused?.problem?.errors?.find(({ pointer }) => pointer === '/reason');
  return (
    <form
      class="question"
      aria-label={change}
      onSubmit={(event) => {
        event.preventDefault();
        changes.submit(order, draft);
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
          {isKnown && isPossible && <p>{t.conflictAgain}</p>}
        </div>
      )}
      {refused && !faultOfReason && (
        <p class="message failure" role="alert">
          {t.refused(refused.problem?.detail ?? texts.problem.other(refused.status))}
        </p>
      )}
      {isPossible ? (
        <p class="asked">{t.confirm(draft.status, money(order.amount, order.currency))}</p>
      ) : (
        <p role="alert">{order.status === draft.status ? t.already : t.conflictOver}</p>
      )}
      {(isPossible ? draft.status === 'CANCELED' : draft.reason) && (
        <>
          <label>
            {t.reason} <span class="small">{t.reasonHint}</span>
            <textarea
              maxLength={500}
              rows={2}
              dir="auto"
              value={draft.reason}
              aria-invalid={faultOfReason !== undefined}
              aria-describedby="reason-fault"
              onInput={(event) =>
                changes.write(order, { ...draft, reason: event.currentTarget.value })
              }
            />
          </label>
          <p id="reason-fault" role="alert" class="fault">
            {faultOfReason?.detail}
          </p>
        </>
      )}
      <div class="buttons">
        {isPossible && (
          <button type="submit" class="primary" disabled={!isKnown}>
            {change}
          </button>
        )}
        <button type="button" onClick={() => changes.dismiss(order)}>
          {t.keep}
        </button>
      </div>
    </form>
  );
}

function Event({ event }: { event: TimelineEvent }) {
  const { status, previousStatus, actor, actorId, reason, changedAt } = event;
  return (
    <li>
      <Status status={status}>
        {previousStatus === null ? t.began : previousStatus === status ? t.forgotten : undefined}
      </Status>{' '}
      <bdi>{texts.actor(actor, actorId)}</bdi>{' '}
      {reason !== null && (
        <q>
          <bdi>{texts.reason(reason)}</bdi>
        </q>
      )}{' '}
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
              <bdi class="small">{name}</bdi> <bdi>{value}</bdi>
            </dd>
          ))}
        </>
      )}
    </dl>
  );
}
