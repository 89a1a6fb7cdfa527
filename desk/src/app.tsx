import { useEffect, useMemo, useState } from 'preact/hooks';

import { Api } from './api';
import { Changes } from './changes';
import { Drafts } from './drafts';
import { Feed } from './feed';
import { Find } from './find';
import { STATUSES as ALL_STATUSES } from './generated/domain';
import { keyboard, useShortcuts } from './keyboard';
import { useObservable } from './observable';
import { OrderList } from './order-list';
import { Dialog } from './parts/dialog';
import { Heading } from './parts/heading';
import { formatPlace, go, type ListPlace, type Place, statusPlace, usePlace } from './place';
import { Days } from './screens/days';
import { OrderScreen } from './screens/order';
import { Orders } from './screens/orders';
import { SignInForm, SignInScreen } from './screens/sign-in';
import type { Session } from './session';
import { API_ADDRESS } from './settings';
import type { SignIn } from './sign-in';
import { texts } from './texts';

interface Props {
  readonly session: Session;
  readonly signIn: SignIn;
}

export function App({ session, signIn }: Props) {
  useObservable(session);
  const { ending } = session;
  const api = useMemo(() => new Api(API_ADDRESS, session), [session, ending]);
  const drafts = useMemo(() => new Drafts(sessionStorage), []);
  useEffect(() => {
    // Signing in again leaves the page too, and comes back to it.
    const warn = (event: Event) => {
      if (session.state === 'signed-in' && drafts.pending.length) event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [session, drafts]);
  const leave = () => {
    const { pending } = drafts;
    if (!pending.length || confirm(texts.abandon(pending))) void signIn.end(session.signOut());
  };
  if (session.state === 'signed-out') return <SignInScreen session={session} signIn={signIn} />;
  if (session.state === 'not-staff') return <NotStaff onSignOut={leave} />;
  return (
    <>
      {/* Nothing that one person has seen or typed stays for another. */}
      <Desk key={ending} api={api} drafts={drafts} onSignOut={leave} />
      {session.state === 'ended' && (
        <Dialog title={texts.signIn.title}>
          <p>{texts.signIn.ended}</p>
          <SignInForm session={session} signIn={signIn} />
          <button type="button" onClick={leave}>
            {texts.signIn.out}
          </button>
        </Dialog>
      )}
    </>
  );
}

function NotStaff({ onSignOut }: { onSignOut: () => void }) {
  return (
    <main id="content" class="narrow">
      <Heading title={texts.signIn.notStaff} />
      <p>{texts.signIn.notStaffHint}</p>
      <button type="button" class="primary" onClick={onSignOut}>
        {texts.signIn.out}
      </button>
    </main>
  );
}

/** Says which orders that the reader has left were not changed as they asked. */
function Unsettled({ changes, shown }: { changes: Changes; shown: string }) {
  useObservable(changes);
  const left = changes.unsettled.filter((orderNumber) => orderNumber !== shown);
  return (
    <div role="status">
      {left.map((orderNumber) => (
        <p key={orderNumber} class="message">
          {texts.unsettled}{' '}
          <a href={formatPlace({ screen: 'order', id: orderNumber })}>{orderNumber}</a>
        </p>
      ))}
    </div>
  );
}

/** The lists that are offered, in the order of the work. */
const STATUSES = ['PAID', ...ALL_STATUSES.filter((status) => status !== 'PAID')];

interface DeskProps {
  readonly api: Api;
  readonly drafts: Drafts;
  readonly onSignOut: () => void;
}

function Desk({ api, drafts, onSignOut }: DeskProps) {
  const place = usePlace();
  const feed = useMemo(() => new Feed(api), [api]);
  useEffect(() => feed.start(), [feed]);
  const changes = useMemo(() => new Changes(api, drafts, window), [api, drafts]);
  useEffect(() => changes.start(), [changes]);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const list = useList(api, feed, changes, place);
  const places: Place[] = [...STATUSES.map(statusPlace), { screen: 'days', count: 30 }];
  const name = (to: Place) => (to.screen === 'orders' ? texts.list(to.status) : texts.days);
  useShortcuts([
    ...places.map((to, index) => ({
      key: String(index + 1),
      does: name(to),
      run: () => go(to),
    })),
    { key: '?', does: texts.keys.help, run: () => setHelpOpen(true) },
  ]);
  useEffect(() => {
    document.addEventListener('keydown', keyboard.press);
    return () => document.removeEventListener('keydown', keyboard.press);
  }, []);
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector('h1')?.focus();
        }}
      >
        {texts.skip}
      </a>
      <header class="top">
        <nav aria-label={texts.navigation}>
          {places.map((to) => (
            <a
              key={formatPlace(to)}
              href={formatPlace(to)}
              aria-current={isWithin(place, to) ? 'page' : undefined}
            >
              {name(to)}
            </a>
          ))}
        </nav>
        <Find api={api} />
      </header>
      <main id="content">
        <Unsettled changes={changes} shown={place.screen === 'order' ? place.id : ''} />
        {place.screen === 'days' && <Days api={api} count={place.count} />}
        {place.screen === 'order' && (
          <OrderScreen
            key={place.id}
            api={api}
            feed={feed}
            changes={changes}
            list={list.list}
            id={place.id}
          />
        )}
        {(place.screen === 'orders' || place.screen === 'customer') && list.list && (
          <Orders list={list.list} onRefresh={list.refresh} />
        )}
      </main>
      <footer>
        <button type="button" onClick={() => setHelpOpen(true)}>
          {texts.keys.open}
        </button>
        <button type="button" onClick={onSignOut}>
          {texts.signIn.out}
        </button>
      </footer>
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </>
  );
}

function isWithin(place: Place, tab: Place): boolean {
  return (
    place.screen === tab.screen &&
    (place.screen !== 'orders' || tab.screen !== 'orders' || place.status === tab.status)
  );
}

/** The list that is shown, or that the order was opened from. It stays as it was meanwhile. */
function useList(api: Api, feed: Feed, changes: Changes, place: Place) {
  const [kept, setKept] = useState<{ list: OrderList; key: string } | null>(null);
  const isList = place.screen === 'orders' || place.screen === 'customer';
  const key = isList ? formatPlace(place) : kept?.key;
  let current = kept;
  if (isList && key !== undefined && kept?.key !== key) {
    current = { list: new OrderList(api, place as ListPlace), key };
    setKept(current);
  }
  const list = current?.list ?? null;
  useEffect(() => {
    if (!list) return undefined;
    return feed.read(
      (events) => list.take(events),
      () => list.becomeOutdated(),
    );
  }, [feed, list]);
  useEffect(
    () =>
      changes.read((outcome) => {
        if (outcome.kind === 'done') list?.take([{ data: outcome.order }]);
      }),
    [changes, list],
  );
  return {
    list,
    refresh() {
      if (current) setKept({ ...current, list: new OrderList(api, current.list.place) });
    },
  };
}

function Help({ onClose }: { onClose: () => void }) {
  useObservable(keyboard);
  return (
    <Dialog title={texts.keys.title} onClose={onClose}>
      <label class="check">
        <input
          type="checkbox"
          checked={keyboard.isOn}
          onChange={(event) => keyboard.turn(event.currentTarget.checked)}
        />
        {texts.keys.use}
      </label>
      <dl class="keys">
        {[...keysByEffect()].map(([does, keys]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{texts.keys.name(key)}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" onClick={onClose}>
        {texts.keys.close}
      </button>
    </Dialog>
  );
}

function keysByEffect(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { key, does } of keyboard.shortcuts) {
    found.set(does, [...(found.get(does) ?? []), key]);
  }
  return found;
}
