import type { Change } from './send-change';

/** What was asked for, or is being typed, about one order. */
export interface Draft {
  readonly status: string;
  readonly reason: string;
  /** Once it was sent, and until its outcome is known. */
  readonly sent?: Change;
}

const PREFIX = 'desk.draft.';

/** By the numbers of their orders. They outlive a reload and a sign-in. */
export class Drafts {
  constructor(private readonly storage: Storage) {}

  all(): [string, Draft][] {
    return Object.entries(this.storage)
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, stored]) => [name.slice(PREFIX.length), JSON.parse(String(stored)) as Draft]);
  }

  /** The numbers of orders whose change was sent, without a known outcome. */
  get pending(): string[] {
    return this.all().flatMap(([orderNumber, { sent }]) => (sent ? [orderNumber] : []));
  }

  keep(orderNumber: string, draft: Draft | null): void {
    if (draft) this.storage.setItem(PREFIX + orderNumber, JSON.stringify(draft));
    else this.storage.removeItem(PREFIX + orderNumber);
  }
}
