import type { Change } from './change';

/** What was asked for, or is being typed, about one order. It outlives a reload and a sign-in. */
export interface Draft {
  readonly status: string;
  readonly reason: string;
  /** Once it was sent, and until its outcome is known. */
  readonly sent?: Change;
}

const name = (orderId: string) => `desk.draft.${orderId}`;

export function readDraft(orderId: string): Draft | null {
  const stored = sessionStorage.getItem(name(orderId));
  return stored === null ? null : (JSON.parse(stored) as Draft);
}

export function keepDraft(orderId: string, draft: Draft | null): void {
  if (draft) sessionStorage.setItem(name(orderId), JSON.stringify(draft));
  else sessionStorage.removeItem(name(orderId));
}
