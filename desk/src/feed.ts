import type { Api, CloudEvent } from './api';

const PAUSE = 10_000;
/** How far back the first request looks: longer than the API holds an event back. */
const OVERLAP = 90_000;
const LIMIT = 100;

type Reader = (events: readonly CloudEvent[]) => void;

/** Follows the feed of all events while the page is shown. */
export class Feed {
  private readonly readers = new Set<Reader>();
  private readonly recordedFrom: string;
  private cursor: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isReading = false;

  constructor(
    private readonly api: Pick<Api, 'listEvents'>,
    now: number,
  ) {
    this.recordedFrom = new Date(now - OVERLAP).toISOString();
  }

  read(reader: Reader): () => void {
    this.readers.add(reader);
    return () => void this.readers.delete(reader);
  }

  start(): () => void {
    const follow = () => {
      clearTimeout(this.timer);
      if (!document.hidden) void this.step();
    };
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      clearTimeout(this.timer);
    };
  }

  private async step(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    let more = false;
    try {
      const { recordedFrom, cursor } = this;
      const { body } = await this.api.listEvents({ recordedFrom, cursor, limit: LIMIT });
      this.cursor = body.nextCursor;
      more = body.items.length === LIMIT;
      if (body.items.length) for (const reader of this.readers) reader(body.items);
    } catch {
      // It is only news: the next step asks for the same again.
    } finally {
      this.isReading = false;
    }
    if (!document.hidden) this.timer = setTimeout(() => void this.step(), more ? 0 : PAUSE);
  }
}
