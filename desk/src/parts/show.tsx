import type { ComponentChildren } from 'preact';

import { NoResponse, Refusal } from '../api';
import { money } from '../money';
import { texts } from '../texts';
import { instant, utc } from '../time';

export function Money({ amount, currency }: { amount: number; currency: string }) {
  return <span class="money">{money(amount, currency)}</span>;
}

/** In the reader's zone; in UTC where the pointer rests on it. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utc(at)}>
      {instant(at)}
    </time>
  );
}

export function Status({ status, children }: { status: string; children?: ComponentChildren }) {
  return <span class={`status status-${status}`}>{children ?? texts.status(status)}</span>;
}

/** What went wrong, in words, and a way to try again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const id = error instanceof Refusal ? error.problem?.instance : undefined;
  return (
    <div class="message failure" role="alert">
      <p>{inWords(error)}</p>
      {id && <p class="small">{texts.problem.request(id)}</p>}
      <button type="button" onClick={onRetry}>
        {texts.problem.retry}
      </button>
    </div>
  );
}

export function inWords(error: unknown): string {
  if (error instanceof NoResponse) return texts.problem.unreachable;
  if (!(error instanceof Refusal)) return String(error);
  if (error.status === 503) return texts.problem.busy;
  if (error.status === 429) return texts.problem.tooMany;
  return error.problem?.detail ?? texts.problem.other(error.status);
}
