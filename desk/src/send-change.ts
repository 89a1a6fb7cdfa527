import { type Api, NoResponse, type Order, type Problem, Refusal } from './api';

/** A change of status that somebody has asked for. */
export interface Change {
  readonly orderNumber: string;
  /** The version that they saw. */
  readonly version: number;
  readonly status: string;
  readonly reason: string;
  /** The Idempotency-Key: the same until the outcome is known, so that it happens once. */
  readonly key: string;
}

export type Outcome =
  | { readonly kind: 'done'; readonly order: Order }
  /** Somebody else was faster. */
  | { readonly kind: 'conflict' }
  /** From status 500 on, whether it happened is not known. */
  | { readonly kind: 'refused'; readonly problem: Problem | null; readonly status: number };

const TOO_MANY_REQUESTS = 429;
const PRECONDITION_FAILED = 412;
const UNAVAILABLE: ReadonlySet<number> = new Set([TOO_MANY_REQUESTS, 502, 503, 504]);
/** After so many errors of its own, the platform is not expected to get over them. */
const MOST_ERRORS = 5;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Why it is sent again, and when, in milliseconds from now. */
export interface Waiting {
  readonly because: 'no-response' | 'busy' | 'error';
  readonly pause: number;
}

/**
 * Sends the change until its outcome is known.
 *
 * A request without a response may have taken effect: the key makes the next one return the first
 * one's response. If the platform keeps failing, the last error is the outcome: a later attempt has
 * another key, and its version keeps the change from being made twice.
 *
 * Throws the signal's error where it aborts; then the outcome is not known.
 */
export async function send(
  api: Pick<Api, 'changeStatus'>,
  change: Change,
  wait: (waiting: Waiting) => Promise<void>,
  signal?: AbortSignal,
): Promise<Outcome> {
  const body = { status: change.status, ...(change.reason && { reason: change.reason }) };
  let errors = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const { orderNumber, version, key } = change;
      const reply = await api.changeStatus(orderNumber, body, version, key, signal);
      return { kind: 'done', order: reply.body };
    } catch (error) {
      const waiting = waitingAfter(error, attempt);
      if (waiting?.because === 'error') errors++;
      if (waiting && errors < MOST_ERRORS) await wait(waiting);
      else if (!(error instanceof Refusal)) throw error;
      else if (error.status === PRECONDITION_FAILED) return { kind: 'conflict' };
      else return { kind: 'refused', problem: error.problem, status: error.status };
    }
  }
}

function waitingAfter(error: unknown, attempt: number): Waiting | null {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
  if (error instanceof NoResponse) return { because: 'no-response', pause };
  if (!(error instanceof Refusal)) return null;
  if (!UNAVAILABLE.has(error.status))
    return error.status < 500 ? null : { because: 'error', pause };
  return { because: 'busy', pause: Math.max(pause, 1000 * (error.retryAfter ?? 0)) };
}
