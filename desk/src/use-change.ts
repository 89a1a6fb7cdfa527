import { useEffect, useRef, useState } from 'preact/hooks';

import type { Api, Order } from './api';
import { type Change, type Outcome, send, type Waiting } from './change';
import { type Draft, keepDraft, readDraft } from './drafts';

/** Where a change of the order stands. */
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

/** A status that is left out here is asked about first: it moves money, or is not known. */
const UNASKED: ReadonlySet<string> = new Set(['SHIPPED']);

/** One change of the order, from the question to its known outcome. */
export function useChange(api: Api, order: Order, onOutcome: (outcome: Outcome) => void) {
  const { orderId } = order;
  const [step, setStep] = useState<Step>({ at: 'rest' });
  const isSending = useRef(false);
  const goOn = useRef<() => void>(() => undefined);
  const leaving = useRef(new AbortController());

  const run = async (change: Change) => {
    if (isSending.current) return;
    isSending.current = true;
    const { status, reason } = change;
    keepDraft(orderId, { status, reason, sent: change });
    setStep({ at: 'work', change });
    try {
      const { signal } = leaving.current;
      const outcome = await send(api, change, (waiting) => pause(change, waiting), signal);
      if (outcome.kind === 'done') {
        keepDraft(orderId, null);
        setStep({ at: 'rest', done: status });
      } else {
        const draft = { status, reason };
        keepDraft(orderId, draft);
        setStep(
          outcome.kind === 'conflict'
            ? { at: 'question', draft, outdated: change.version }
            : { at: 'question', draft, refused: outcome },
        );
      }
      onOutcome(outcome);
    } catch (error) {
      if (!leaving.current.signal.aborted) throw error;
    } finally {
      isSending.current = false;
    }
  };

  const pause = (change: Change, waiting: Waiting) => {
    setStep({ at: 'work', change, waiting });
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waiting.pause);
      goOn.current = () => {
        clearTimeout(timer);
        resolve();
      };
      addEventListener('online', goOn.current, { once: true });
    });
  };

  useEffect(() => {
    leaving.current = new AbortController();
    isSending.current = false;
    const draft = readDraft(orderId);
    if (draft?.sent) void run(draft.sent);
    else if (draft) setStep({ at: 'question', draft });
    else setStep({ at: 'rest' });
    return () => {
      leaving.current.abort();
      goOn.current();
    };
  }, [orderId]);

  const submit = ({ status, reason }: Draft) => {
    const key = crypto.randomUUID();
    void run({ orderId, version: order.version, status, reason, key });
  };
  const write = (draft: Draft) => {
    keepDraft(orderId, draft);
    setStep((before) => ({ ...(before.at === 'question' ? before : {}), at: 'question', draft }));
  };
  return {
    step,
    ask(status: string) {
      const draft = { status, reason: '' };
      if (UNASKED.has(status)) submit(draft);
      else write(draft);
    },
    write,
    submit,
    dismiss() {
      keepDraft(orderId, null);
      setStep({ at: 'rest' });
    },
    tryNow: () => goOn.current(),
  };
}
