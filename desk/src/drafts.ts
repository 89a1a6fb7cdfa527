import type { Change } from './change';

/** What was asked for, or is being typed, about one order. It outlives a reload and a sign-in. */
export interface Draft {
  readonly status: string;
  readonly reason: string;
  /** Once it was sent, and until its outcome is known. */
  readonly sent?: Change;
}

const PREFIX = 'desk.draft.';

/** With the numbers of their orders. */
export function keptDrafts(): [string, Draft][] {
  return Object.entries(sessionStorage)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, stored]) => [name.slice(PREFIX.length), JSON.parse(String(stored)) as Draft]);
}

export function keepDraft(orderNumber: string, draft: Draft | null): void {
  if (draft) sessionStorage.setItem(PREFIX + orderNumber, JSON.stringify(draft));
  else sessionStorage.removeItem(PREFIX + orderNumber);
}
