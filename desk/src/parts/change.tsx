import { useEffect, useRef } from 'preact/hooks';

import type { Order, TimelineEvent } from '../api';
import type { Changes, Step } from '../changes';
import { useShortcuts } from '../keyboard';
import { money } from '../money';
import { useObservable } from '../observable';
import { texts } from '../texts';
import { Timeline } from './timeline';

const t = texts.order;

/** For each status the first letter of its name that is no other's, and not taken otherwise. */
function keysOf(statuses: readonly string[], taken: readonly string[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const status of statuses) {
    const letters = status.toLowerCase().match(/[a-z]/g);
    const key = letters?.find((letter) => !keys.has(letter) && !taken.includes(letter));
    if (key !== undefined) keys.set(key, status);
  }
  return keys;
}

interface ActionsProps {
  readonly order: Order;
  readonly events: readonly TimelineEvent[];
  readonly changes: Changes;
  /** Keys of other shortcuts. */
  readonly taken: readonly string[];
  readonly onNext: (() => void) | undefined;
}

/** What can be done to the order, the question before it is done, and what became of it. */
export function Actions({ order, events, changes, taken, onNext }: ActionsProps) {
  const step = useObservable(changes).step(order.orderNumber);
  const done = step.at === 'rest' && step.done === order.status;
  const statuses = order.allowedTransitions.map(String);
  const ask = (status: string) => changes.ask(order, status);
  const keys = [...(step.at === 'rest' ? keysOf(statuses, taken) : [])];
  useShortcuts(
    keys.map(([key, status]) => ({ key, does: texts.change(status), run: () => ask(status) })),
  );
  return (
    <div {...useFocusOnStep(step.at, done)} role="group" aria-label={t.actions} class="actions">
      <div class="steps">
        {step.at === 'rest' &&
          statuses.map((status, index) => (
            <button
              // Anew when the order has changed: what came under the pointer isn't pressed (CSS).
              key={`${status} ${order.version}`}
              type="button"
              class={index === 0 ? 'change primary' : 'change'}
              onClick={() => ask(status)}
            >
              {texts.change(status)}
            </button>
          ))}
        {step.at === 'question' && (
          <Question order={order} events={events} step={step} changes={changes} />
        )}
        {step.at === 'work' && step.waiting && (
          <button type="button" onClick={changes.tryNow}>
            {t.tryNow}
          </button>
        )}
        {step.at === 'rest' && statuses.length === 0 && !done && <p>{t.final}</p>}
        <p role="status">
          {done && t.done(order.status)}
          {step.at === 'work' && said(step)}
        </p>
      </div>
      {onNext && (
        <button type="button" class="next" onClick={onNext}>
          {t.next}
        </button>
      )}
    </div>
  );
}

function said({ waiting }: Extract<Step, { at: 'work' }>): string {
  return waiting ? t.waiting[waiting.because] : t.sending;
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

function whyRefused({ problem, status }: NonNullable<QuestionProps['step']['refused']>): string {
  const why = problem?.detail ?? texts.problem.other(status);
  if (status < 500) return t.refused(why);
  return `${t.unknown(why)} ${problem ? texts.problem.request(problem.instance) : ''}`;
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
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.isComposing) changes.dismiss(order);
      }}
    >
      {outdated !== undefined && (
        <div class="message" role="alert">
          <p>{t.conflict}</p>
          <Timeline events={events.filter(({ version }) => version > outdated)} />
          {isKnown && isPossible && <p>{t.conflictAgain}</p>}
        </div>
      )}
      {refused && !faultOfReason && (
        <p class="message failure" role="alert">
          {whyRefused(refused)}
        </p>
      )}
      {isPossible ? (
        <p class="asked">{t.confirm(draft.status, money(order.amount, order.currency))}</p>
      ) : (
        <p role="alert">{order.status === draft.status ? t.already : t.conflictOver}</p>
      )}
      {!isPossible && draft.reason && (
        <p>
          {t.written}{' '}
          <q>
            <bdi>{draft.reason}</bdi>
          </q>
        </p>
      )}
      {isPossible && draft.status === 'CANCELED' && (
        <>
          <label>
            {t.reason} <span class="small">{t.reasonHint}</span>
            <textarea
              ref={(field) => field?.setCustomValidity(draft.reason.trim() ? '' : t.reasonMissing)}
              required
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
          {isPossible ? t.keep : t.over}
        </button>
      </div>
    </form>
  );
}
