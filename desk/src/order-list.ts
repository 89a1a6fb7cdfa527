import type { Api, OrderSummary, Query } from './api';
import { Observable } from './observable';
import type { ListPlace } from './place';
import { startOfDay } from './time';

const PAGE = 50;

interface Standing {
  readonly orderId: string;
  readonly status: string;
  readonly customerId: string;
  readonly version: number;
}

/** The orders of a list, page by page, as they were when they were loaded. */
export class OrderList extends Observable {
  readonly pages: OrderSummary[][] = [];
  /** Whether a request for the next page is on its way. */
  isLoading = false;
  /** What the last request failed with. */
  error: unknown = null;
  /** The ids of orders that have come to belong here. Nothing moves before the reader asks. */
  readonly news = new Set<string>();
  /** The statuses of loaded orders that have changed since. */
  readonly changedTo = new Map<string, string>();
  /** Whether changes may have been missed since the list was loaded. */
  isOutdated = false;
  /** The order that was opened last. */
  opened = '';
  /** How far the page was scrolled then. */
  scrolled = 0;
  private cursor: string | null | undefined;
  /** The statuses of loaded orders, as they were loaded. */
  private readonly known = new Map<string, string>();
  /** The latest versions of orders that are known here: the feed is behind them. */
  private readonly versions = new Map<string, number>();
  private loading = Promise.resolve();

  constructor(
    private readonly api: Api,
    readonly place: ListPlace,
  ) {
    super();
  }

  get orders(): OrderSummary[] {
    return this.pages.flat();
  }

  get isComplete(): boolean {
    return this.cursor === null;
  }

  /** Loads the next page once, however many ask for it meanwhile. */
  loadMore(): Promise<void> {
    if (this.isComplete) return Promise.resolve();
    if (!this.isLoading) this.loading = this.load();
    return this.loading;
  }

  private async load(): Promise<void> {
    this.isLoading = true;
    this.changed();
    try {
      const { body } = await this.request();
      this.pages.push(body.items);
      for (const { orderId, status, version } of body.items) {
        this.known.set(orderId, status);
        this.versions.set(orderId, version);
        this.news.delete(orderId);
      }
      this.cursor = body.nextCursor;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.isLoading = false;
    this.changed();
  }

  /** The order after this one, or before with `step` -1; undefined at the list's end. */
  async neighbor(orderId: string, step: 1 | -1 = 1): Promise<OrderSummary | undefined> {
    const place = this.orders.findIndex((order) => order.orderId === orderId);
    if (place < 0) return undefined;
    if (place + step >= this.orders.length) await this.loadMore();
    return this.orders[place + step];
  }

  take(events: readonly { readonly data: Standing }[]): void {
    for (const { data } of events) this.takeOrder(data);
    this.changed();
  }

  becomeOutdated(): void {
    this.isOutdated = this.pages.length > 0;
    this.changed();
  }

  /** As it is now. */
  takeOrder({ orderId, status, customerId, version }: Standing): void {
    const { place } = this;
    if (version <= (this.versions.get(orderId) ?? 0)) return;
    this.versions.set(orderId, version);
    const known = this.known.get(orderId);
    if (known !== undefined) {
      if (status === known) this.changedTo.delete(orderId);
      else this.changedTo.set(orderId, status);
    } else if (
      (place.screen === 'customer' ? customerId === place.customerId : status === place.status) &&
      this.isInRange(madeAt(orderId))
    ) {
      if (this.pages.length) this.news.add(orderId);
    } else {
      this.news.delete(orderId);
    }
  }

  private isInRange(time: number): boolean {
    const { createdFrom, createdTo } = bounds(this.place);
    return (
      (!createdFrom || time >= Date.parse(createdFrom)) &&
      (!createdTo || time < Date.parse(createdTo))
    );
  }

  private request() {
    const { api, place } = this;
    const query: Query = {
      limit: PAGE,
      sort: place.oldestFirst ? 'createdAt' : '-createdAt',
      cursor: this.cursor ?? undefined,
      ...bounds(place),
    };
    return place.screen === 'customer'
      ? api.listCustomerOrders(place.customerId, query)
      : api.listOrders({ status: place.status, ...query });
  }
}

function bounds({ from, to }: ListPlace) {
  return {
    createdFrom: from ? startOfDay(from) : undefined,
    createdTo: to ? startOfDay(to, 1) : undefined,
  };
}

/** An order's id is a UUIDv7: its first 48 bits are the millisecond of its creation. */
function madeAt(orderId: string): number {
  return parseInt(orderId.replace('-', '').slice(0, 12), 16);
}
