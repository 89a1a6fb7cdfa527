import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Api, CloudEvent, OrderPage, OrderSummary, Query } from '../src/api';
import { OrderList } from '../src/order-list';
import type { ListPlace } from '../src/place';

process.env.TZ = 'UTC';

const NOON = Date.parse('2026-11-30T12:00:00Z');
const ALL = { from: '', to: '', oldestFirst: true };

/** The id of an order that was placed at that time. */
function orderId(placedAt: number): string {
  const time = placedAt.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7c3e-9f00-3d1f6a2b4c5d`;
}

const id = (minute: number) => orderId(NOON + minute * 60_000);

function order(minute: number, status = 'PAID', customerId = 'cus_1'): OrderSummary {
  return { orderId: id(minute), status, customerId } as OrderSummary;
}

function event(minute: number, status = 'PAID', customerId = 'cus_1'): CloudEvent {
  return { data: order(minute, status, customerId) } as unknown as CloudEvent;
}

/** An API that has these pages, and notes what it is asked for. */
function listOf(place: Partial<ListPlace>, ...pages: (OrderSummary[] | Error)[]) {
  const queries: Query[] = [];
  const respond = async (query: Query) => {
    queries.push(query);
    const page = pages.shift() ?? [];
    if (page instanceof Error) throw page;
    const body: OrderPage = { items: page, nextCursor: pages.length ? `${pages.length}` : null };
    return { body, date: 0 };
  };
  const api = {
    listOrders: respond,
    listCustomerOrders: (_id: string, query: Query) => respond(query),
  } as unknown as Api;
  const whole = { screen: 'orders', status: 'PAID', ...ALL, ...place } as ListPlace;
  return { list: new OrderList(api, whole), queries };
}

test('a page is asked for from where the last one ended, until there is none', async () => {
  const { list, queries } = listOf({}, [order(0)], [order(1)]);
  await list.loadMore();
  assert.equal(list.isComplete, false);
  await list.loadMore();
  await list.loadMore();
  assert.equal(list.isComplete, true);
  assert.deepEqual(list.orders, [order(0), order(1)]);
  assert.deepEqual(
    queries.map(({ cursor, sort, status }) => [cursor, sort, status]),
    [
      [undefined, 'createdAt', 'PAID'],
      ['1', 'createdAt', 'PAID'],
    ],
  );
});

test('a page is not asked for twice at once', async () => {
  const { list, queries } = listOf({}, [order(0)], [order(1)]);
  await Promise.all([list.loadMore(), list.loadMore()]);
  assert.equal(queries.length, 1);
});

test('days of the range are whole days', async () => {
  const { list, queries } = listOf({ from: '2026-11-29', to: '2026-11-30' }, []);
  await list.loadMore();
  assert.equal(queries[0]?.createdFrom, '2026-11-29T00:00:00.000Z');
  assert.equal(queries[0]?.createdTo, '2026-12-01T00:00:00.000Z');
});

test('after an error what is loaded stays, and the same page can be asked for again', async () => {
  const failure = new Error('failed');
  const { list, queries } = listOf({}, [order(0)], failure, [order(1)]);
  await list.loadMore();
  await list.loadMore();
  assert.equal(list.error, failure);
  assert.deepEqual(list.orders, [order(0)]);
  await list.loadMore();
  assert.equal(list.error, null);
  assert.deepEqual(list.orders, [order(0), order(1)]);
  assert.equal(queries[1]?.cursor, queries[2]?.cursor);
});

test('an order that comes to belong to the list is news once, and none when it leaves', async () => {
  const { list } = listOf({}, [order(0)]);
  await list.loadMore();
  list.take([event(5), event(5), event(6, 'PENDING')]);
  assert.deepEqual([...list.news], [id(5)]);
  assert.deepEqual(list.orders, [order(0)]);
  list.take([event(5, 'SHIPPED')]);
  assert.equal(list.news.size, 0);
});

test('news that a page brings is news no more', async () => {
  const { list } = listOf({}, [order(0)], [order(5)]);
  await list.loadMore();
  list.take([event(5)]);
  await list.loadMore();
  assert.equal(list.news.size, 0);
});

test('a loaded order says what became of it, and nothing once it is as before', async () => {
  const { list } = listOf({}, [order(0), order(1)]);
  await list.loadMore();
  list.take([event(0, 'SHIPPED')]);
  assert.deepEqual([...list.changedTo], [[id(0), 'SHIPPED']]);
  assert.equal(list.news.size, 0);
  list.take([event(0, 'PAID')]);
  assert.equal(list.changedTo.size, 0);
});

test('an order outside of the range is no news', async () => {
  const { list } = listOf({ from: '2026-11-30', to: '2026-11-30' }, [order(0)]);
  await list.loadMore();
  const [before, first, last, after] = [-12 * 60 - 1, -12 * 60, 12 * 60 - 1, 12 * 60];
  list.take([before, first, last, after].map((minute) => event(minute)));
  assert.deepEqual([...list.news], [id(first), id(last)]);
});

test("a customer's list takes their orders of every status, and nobody else's", async () => {
  const { list } = listOf({ screen: 'customer', customerId: 'cus_1' }, [order(0)]);
  await list.loadMore();
  list.take([event(1, 'CANCELED', 'cus_1'), event(2, 'PAID', 'cus_2')]);
  assert.deepEqual([...list.news], [id(1)]);
});

test('the neighbor of the last loaded order is on the next page', async () => {
  const { list } = listOf({}, [order(0), order(1)], [order(2)]);
  await list.loadMore();
  assert.deepEqual(await list.neighbor(id(1), -1), order(0));
  assert.deepEqual(await list.neighbor(id(0)), order(1));
  assert.deepEqual(await list.neighbor(id(1)), order(2));
  assert.equal(await list.neighbor(id(2)), undefined);
  assert.equal(await list.neighbor(id(0), -1), undefined);
  assert.equal(await list.neighbor(id(9)), undefined);
});

test('an event that is older than what is known of the order says nothing', async () => {
  const { list } = listOf({}, [{ ...order(0), version: 2 }]);
  await list.loadMore();
  const at = (version: number, status: string) => ({ data: { ...order(0, status), version } });
  list.take([at(3, 'SHIPPED')]);
  list.take([at(1, 'PENDING'), at(2, 'PAID')]);
  assert.deepEqual([...list.changedTo], [[id(0), 'SHIPPED']]);
});

test('whoever asks for the order after the last one waits for a page that is under way', async () => {
  const { list, queries } = listOf({}, [order(0)], [order(1)]);
  await list.loadMore();
  void list.loadMore();
  assert.deepEqual(await list.neighbor(id(0)), order(1));
  assert.equal(queries.length, 2);
});
