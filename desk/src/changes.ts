import type { Api, Order } from './api';
import type { Draft, Drafts } from './drafts';
import { Observable } from './observable';
import { type Change, type Outcome, send, type Waiting } from './send-change';

/** Where a change of an order stands. */
export type Step =
  | { readonly at: 'rest'; readonly done?: string }
  | {
      readonly at: 'question';
      readonly draft: Draft;
      /** The version that the change was meant for, where there is a later one. */
      readonly outdated?: number;
      readonly refused?: Extract<Outcome, { kind: 'refused' }>;
    }
  | { readonly at: 'work'; readonly change: Change; readonly waiting?: Waiting };

type Reader = (outcome: Outcome, change: Change) => void;

const REST: Step = { at: 'rest' };

/** A status that is left out here is asked about first: it moves money, or is not known. */
const UNASKED: ReadonlySet<string> = new Set(['SHIPPED']);

/**
 * The changes that this tab asks for, from the question to the known outcome.
 *
 * They belong to no screen: a change that was sent goes on when the reader leaves its order.
 */
export class Changes extends Observable {
  private readonly steps = new Map<string, Step>();
  private readonly readers = new Set<Reader>();
  private stopped = new AbortController();
  private pauses = new AbortController();

  constructor(
    private readonly api: Pick<Api, 'changeStatus'>,
    private readonly drafts: Drafts,
    /** Says `online` when there is a network again. */
    private readonly network: EventTarget,
  ) {
    super();
  }

  /** Goes on with what was typed or sent before a reload. */
  start(): () => void {
    this.stopped = new AbortController();
    for (const [orderNumber, draft] of this.drafts.all()) {
      if (draft.sent) void this.run(draft.sent);
      else this.take(orderNumber, { at: 'question', draft });
    }
    this.network.addEventListener('online', this.tryNow);
    return () => {
      this.network.removeEventListener('online', this.tryNow);
      this.stopped.abort();
    };
  }

  /** Tells of each outcome, before it is shown. */
  read(reader: Reader): () => void {
    this.readers.add(reader);
    return () => void this.readers.delete(reader);
  }

  step(orderNumber: string): Step {
    return this.steps.get(orderNumber) ?? REST;
  }

  /** The numbers of orders whose change was asked for, and was not made yet. */
  get unsettled(): string[] {
    const isUnsettled = (step: Step) =>
      (step.at === 'work' && step.waiting) ||
      (step.at === 'question' && (step.refused ?? step.outdated) !== undefined);
    return [...this.steps].filter(([, step]) => isUnsettled(step)).map(([number]) => number);
  }

  ask(order: Order, status: string): void {
    const draft = { status, reason: '' };
    if (UNASKED.has(status)) this.submit(order, draft);
    else this.write(order, draft);
  }

  write({ orderNumber }: Order, draft: Draft): void {
    const step = this.step(orderNumber);
    if (step.at === 'work') return;
    this.drafts.keep(orderNumber, draft);
    this.take(orderNumber, { ...(step.at === 'question' && step), at: 'question', draft });
  }

  submit({ orderNumber, version }: Order, { status, reason }: Draft): void {
    if (this.step(orderNumber).at === 'work') return;
    const key = crypto.randomUUID();
    void this.run({ orderNumber, version, status, reason: reason.trim(), key });
  }

  dismiss({ orderNumber }: Order): void {
    this.drafts.keep(orderNumber, null);
    this.take(orderNumber, REST);
  }

  /** Ends the pauses before the next attempts. */
  readonly tryNow = (): void => {
    this.pauses.abort();
    this.pauses = new AbortController();
  };

  private async run(change: Change): Promise<void> {
    const { orderNumber, status, reason } = change;
    const { signal } = this.stopped;
    this.drafts.keep(orderNumber, { status, reason, sent: change });
    this.take(orderNumber, { at: 'work', change });
    const pause = (waiting: Waiting) => {
      this.take(orderNumber, { at: 'work', change, waiting });
      return this.pause(waiting.pause, signal);
    };
    let outcome: Outcome;
    try {
      outcome = await send(this.api, change, pause, signal);
      signal.throwIfAborted();
    } catch (error) {
      if (error instanceof DOMException) return; // Signed out meanwhile.
      throw error;
    }
    const draft = { status, reason };
    this.drafts.keep(orderNumber, outcome.kind === 'done' ? null : draft);
    for (const reader of this.readers) reader(outcome, change);
    this.take(orderNumber, stepAfter(outcome, change, draft));
  }

  private pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([AbortSignal.timeout(milliseconds), this.pauses.signal, signal]);
    return new Promise((resolve) => {
      if (over.aborted) resolve();
      else over.addEventListener('abort', () => resolve());
    });
  }

  private take(orderNumber: string, step: Step): void {
    this.steps.set(orderNumber, step);
    this.changed();
  }
}

function stepAfter(outcome: Outcome, { version, status }: Change, draft: Draft): Step {
  switch (outcome.kind) {
    case 'done':
      return { at: 'rest', done: status };
    case 'conflict':
      return { at: 'question', draft, outdated: version };
    case 'refused':
      return { at: 'question', draft, refused: outcome };
  }
}
