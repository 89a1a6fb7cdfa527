import type { components } from './generated/api';
import type { Session } from './session';

type Schemas = components['schemas'];
export type Order = Schemas['Order'];
export type OrderSummary = Schemas['OrderSummary'];
export type OrderPage = Schemas['OrderPage'];
export type TimelineEvent = Schemas['TimelineEvent'];
export type TimelinePage = Schemas['TimelinePage'];
export type EventPage = Schemas['EventPage'];
export type CloudEvent = Schemas['CloudEvent'];
export type DailyReport = Schemas['DailyReport'];
export type Problem = Schemas['Problem'];

/** The longest that the API takes, and some. */
const TIMEOUT = 35_000;

export interface Reply<Body> {
  readonly body: Body;
  /** By the API's clock, in milliseconds since the epoch. */
  readonly date: number;
}

/** A response that is no success. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** What the function says; null where the gateway responded by itself. */
    readonly problem: Problem | null,
    /** In seconds. */
    readonly retryAfter: number | null,
  ) {
    super(problem?.detail ?? `HTTP ${status}`);
  }

  /** Such as `order-not-found`; empty where the gateway responded by itself. */
  get type(): string {
    return this.problem?.type.split('#')[1] ?? '';
  }
}

/** No response came. */
export class NoResponse extends Error {}

export type Query = Readonly<Record<string, string | number | undefined>>;

interface Request {
  readonly method?: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** For one session: what is asked for in one person's name never goes on in another's. */
export class Api {
  private readonly signedOut: AbortSignal;

  constructor(
    private readonly address: string,
    private readonly session: Session,
  ) {
    this.signedOut = session.ending;
  }

  getOrder(idOrNumber: string, signal?: AbortSignal): Promise<Reply<Order>> {
    return this.send(`/orders/${encodeURIComponent(idOrNumber)}`, { signal });
  }

  listOrders(query: Query, signal?: AbortSignal): Promise<Reply<OrderPage>> {
    return this.send('/orders', { query, signal });
  }

  listCustomerOrders(id: string, query: Query, signal?: AbortSignal): Promise<Reply<OrderPage>> {
    return this.send(`/customers/${encodeURIComponent(id)}/orders`, { query, signal });
  }

  listEvents(query: Query, signal?: AbortSignal): Promise<Reply<EventPage>> {
    return this.send('/events', { query, signal });
  }

  getDailyReport(date: string, signal?: AbortSignal): Promise<Reply<DailyReport>> {
    return this.send(`/reports/daily/${date}`, { signal });
  }

  /** All of it: an order has few events. */
  async getTimeline(idOrNumber: string, signal?: AbortSignal): Promise<TimelineEvent[]> {
    const events: TimelineEvent[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 100, cursor };
      const page: Reply<TimelinePage> = await this.send(
        `/orders/${encodeURIComponent(idOrNumber)}/timeline`,
        { query, signal },
      );
      events.push(...page.body.items);
      cursor = page.body.nextCursor ?? undefined;
    } while (cursor);
    return events;
  }

  changeStatus(
    orderNumber: string,
    change: { status: string; reason?: string },
    version: number,
    key: string,
    signal?: AbortSignal,
  ): Promise<Reply<Order>> {
    const headers = { 'If-Match': `"${version}"`, 'Idempotency-Key': key };
    return this.send(`/orders/${orderNumber}`, { method: 'PATCH', body: change, headers, signal });
  }

  /**
   * Throws Refusal, NoResponse, and the signal's own error where it aborts.
   *
   * Where the token is refused, this waits until there is a new one, and goes on. A sign-out aborts.
   */
  private async send<Body>(path: string, request: Request): Promise<Reply<Body>> {
    const { method = 'GET', query = {}, body, headers } = request;
    const { signedOut } = this;
    const signal = request.signal ? AbortSignal.any([request.signal, signedOut]) : signedOut;
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') parameters.set(name, String(value));
    }
    const url = `${this.address}${path}${parameters.size ? `?${parameters}` : ''}`;
    for (;;) {
      const token = await this.session.token(signal);
      const timeout = AbortSignal.timeout(TIMEOUT);
      const response = await fetch(url, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.any([signal, timeout]),
      })
        .then(readWhole)
        .catch((error: unknown) => {
          signal.throwIfAborted();
          throw new NoResponse(String(error));
        });
      if (response.status === 401) {
        this.session.refused(token);
        continue;
      }
      this.session.honored(token);
      if (response.ok) return { ...response, body: response.json as Body };
      const refused = refusal(response);
      if (method === 'GET' && refused.type === 'forbidden') this.session.notStaff();
      throw refused;
    }
  }
}

interface Whole {
  readonly status: number;
  readonly ok: boolean;
  readonly json: unknown;
  readonly date: number;
  readonly retryAfter: string | null;
}

/** Throws where the connection breaks in the body of a success: then nothing is known either. */
async function readWhole(response: Response): Promise<Whole> {
  const { status, ok, headers } = response;
  let json: unknown = null;
  try {
    json = await response.json();
  } catch (error) {
    if (ok) throw error;
  }
  return {
    status,
    ok,
    json,
    date: Date.parse(headers.get('Date') ?? ''),
    retryAfter: headers.get('Retry-After'),
  };
}

function refusal({ status, json, retryAfter }: Whole): Refusal {
  const isProblem = typeof json === 'object' && json !== null && 'type' in json;
  return new Refusal(
    status,
    isProblem ? (json as Problem) : null,
    retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
  );
}
