import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Api, NoResponse, type Order, Refusal } from '../src/api';
import { Changes } from '../src/changes';
import { Drafts } from '../src/drafts';

const PENDING = { orderNumber: 'o-1', version: 1, status: 'PENDING' } as Order;
const CANCELED = { ...PENDING, version: 2, status: 'CANCELED' } as Order;
const CANCEL = { status: 'CANCELED', reason: 'asked on the phone' };

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A storage is an object with its items, and these functions beside them. */
class Memory {
  setItem(name: string, value: string) {
    Object.assign(this, { [name]: value });
  }
  removeItem(name: string) {
    Reflect.deleteProperty(this, name);
  }
  clear() {
    for (const name of Object.keys(this)) this.removeItem(name);
  }
}

/** A tab, and an API that responds when the test says so. A reload keeps its storage. */
class Tab {
  readonly storage = new Memory();
  readonly network = new EventTarget();
  readonly requests: { version: number; key: string; body: unknown }[] = [];
  private readonly waiting: ((response: Order | Error) => void)[] = [];
  private stop = () => {};
  changes!: Changes;

  constructor() {
    this.load();
  }

  load() {
    this.stop();
    const api = {
      changeStatus: (_: string, body: unknown, version: number, key: string) => {
        this.requests.push({ version, key, body });
        return new Promise((resolve, reject) => {
          this.waiting.push((response) =>
            response instanceof Error ? reject(response) : resolve({ body: response, date: 0 }),
          );
        });
      },
    } as unknown as Api;
    const drafts = new Drafts(this.storage as unknown as Storage);
    this.changes = new Changes(api, drafts, this.network);
    this.stop = this.changes.start();
  }

  signOut() {
    this.storage.clear();
    this.stop();
  }

  /** To the request that has waited longest. */
  async respond(response: Order | Error) {
    await settled();
    this.waiting.shift()!(response);
    await settled();
  }

  get step() {
    return this.changes.step(PENDING.orderNumber);
  }

  get isEmpty() {
    return Object.keys(this.storage).length === 0;
  }
}

test('a change that is submitted twice is sent once, and nothing of it is kept when it is done', async () => {
  const tab = new Tab();
  tab.changes.ask(PENDING, 'CANCELED');
  tab.changes.write(PENDING, CANCEL);
  tab.changes.submit(PENDING, { ...CANCEL, reason: ' asked on the phone\n' });
  tab.changes.submit(PENDING, CANCEL);
  assert.equal(tab.isEmpty, false);
  await tab.respond(CANCELED);
  assert.deepEqual(tab.step, { at: 'rest', done: 'CANCELED' });
  assert.deepEqual(
    tab.requests.map(({ version, body }) => [version, body]),
    [[1, CANCEL]],
  );
  assert.ok(tab.isEmpty);
});

test('after a reload what was sent goes on with its key, and what was typed is asked again', async () => {
  const tab = new Tab();
  tab.changes.submit(PENDING, CANCEL);
  tab.changes.write({ ...PENDING, orderNumber: 'o-2' }, CANCEL);
  tab.load();
  assert.equal(tab.step.at, 'work');
  assert.deepEqual(tab.changes.step('o-2'), { at: 'question', draft: CANCEL });
  const [before, after] = tab.requests;
  assert.deepEqual(after, before);
});

test('a change without response waits, and goes on with its key when there is a network', async () => {
  const tab = new Tab();
  tab.changes.submit(PENDING, CANCEL);
  await tab.respond(new NoResponse());
  assert.deepEqual(tab.changes.unsettled, ['o-1']);
  assert.equal(tab.requests.length, 1);
  tab.network.dispatchEvent(new Event('online'));
  await tab.respond(CANCELED);
  assert.equal(tab.step.at, 'rest');
  assert.equal(tab.requests.length, 2);
  assert.equal(new Set(tab.requests.map(({ key }) => key)).size, 1);
});

test('after a conflict the question is asked again, for the new version with a new key', async () => {
  const tab = new Tab();
  tab.changes.submit(PENDING, CANCEL);
  await tab.respond(new Refusal(412, null, null));
  assert.deepEqual(tab.step, { at: 'question', draft: CANCEL, outdated: 1 });
  assert.deepEqual(tab.changes.unsettled, ['o-1']);
  tab.changes.submit({ ...PENDING, version: 2 }, CANCEL);
  const [first, second] = tab.requests;
  assert.deepEqual([first?.version, second?.version], [1, 2]);
  assert.notEqual(first?.key, second?.key);
});

test('whoever comes after a sign-out finds nothing, whatever comes of the change', async () => {
  for (const response of [CANCELED, new Refusal(412, null, null), new NoResponse()]) {
    const tab = new Tab();
    tab.changes.submit(PENDING, CANCEL);
    tab.signOut();
    await tab.respond(response);
    assert.ok(tab.isEmpty);
    tab.load();
    assert.deepEqual(tab.step, { at: 'rest' });
  }
});
