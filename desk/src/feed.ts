import type { Api, CloudEvent } from './api';

const PAUSE = 10_000;
/** How far back the first request looks: longer than the API holds an event back. */
const OVERLAP = 90_000;
/** Of this machine's clock against the API's; less than what OVERLAP leaves. */
const TOLERANCE = 15_000;
/** After longer than this the feed is not caught up with, page by page, but begun anew. */
const LONGEST_GAP = 15 * 60_000;
const LIMIT = 100;

interface Reader {
  readonly onEvents: (events: readonly CloudEvent[]) => void;
  readonly onGap: () => void;
}

/** Follows the feed of all events while the page is shown. */
export class Feed {
  private readonly readers = new Set<Reader>();
  private recordedFrom = '';
  private cursor: string | undefined;
  private isClockChecked = false;
  private readAt: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isReading = false;

  constructor(
    private readonly api: Pick<Api, 'listEvents'>,
    private readonly now: () => number = Date.now,
  ) {
    this.readAt = now();
    this.begin(this.readAt);
  }

  /** `onGap`: events were left out, because the page was hidden or the machine asleep for long. */
  read(onEvents: Reader['onEvents'], onGap: Reader['onGap'] = () => undefined): () => void {
    const reader = { onEvents, onGap };
    this.readers.add(reader);
    return () => void this.readers.delete(reader);
  }

  start(): () => void {
    const leaving = new AbortController();
    const { signal } = leaving;
    const follow = () => {
      clearTimeout(this.timer);
      if (!document.hidden) void this.step(signal);
    };
    document.addEventListener('visibilitychange', follow, { signal });
    follow();
    return () => {
      leaving.abort();
      clearTimeout(this.timer);
    };
  }

  private async step(signal: AbortSignal): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    let isBehind = false;
    try {
      isBehind = await this.readPage(signal);
    } catch {
      // It is only news: the next step asks for the same again.
    } finally {
      this.isReading = false;
    }
    if (signal.aborted || document.hidden) return;
    this.timer = setTimeout(() => void this.step(signal), isBehind ? 0 : PAUSE);
  }

  /** Returns whether there may be more already. */
  private async readPage(signal: AbortSignal): Promise<boolean> {
    const asked = this.now();
    if (asked - this.readAt > LONGEST_GAP) {
      this.isClockChecked = false;
      this.begin(asked);
      for (const { onGap } of this.readers) onGap();
    }
    const { recordedFrom, cursor } = this;
    const query = { recordedFrom, cursor, limit: LIMIT };
    const { body, date } = await this.api.listEvents(query, signal);
    this.readAt = asked;
    if (!this.isClockChecked) {
      this.isClockChecked = true;
      if (Math.abs(date - asked) > TOLERANCE) {
        this.begin(date);
        return true;
      }
    }
    this.cursor = body.nextCursor;
    if (body.items.length) for (const { onEvents } of this.readers) onEvents(body.items);
    return body.items.length === LIMIT;
  }

  private begin(time: number): void {
    this.cursor = undefined;
    this.recordedFrom = new Date(time - OVERLAP).toISOString();
  }
}
