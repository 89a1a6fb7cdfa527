import { useEffect, useRef, useState } from 'preact/hooks';

import { type Api, Refusal } from './api';
import { useShortcuts } from './keyboard';
import { inWords } from './parts/show';
import { formatPlace, go, type Place } from './place';
import { texts } from './texts';

const t = texts.find;
/** Of what is repeated. */
const MOST_CHARACTERS = 60;
/** Whether its check character is right or not. */
const MEANT_AS_NUMBER = /^([a-z\d]-?){12}[a-z\d]$/i;

/** Takes whatever a customer says: the order's number or id, or who they are. */
export function Find({ api }: { api: Api }) {
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');
  useShortcuts([{ key: '/', does: texts.keys.find, run: () => input.current?.select() }]);
  const search = useRef(new AbortController());
  useEffect(() => {
    const clear = () => setSaid('');
    addEventListener('hashchange', clear);
    return () => removeEventListener('hashchange', clear);
  }, []);
  const find = async (text: string) => {
    search.current.abort();
    search.current = new AbortController();
    const { signal } = search.current;
    setSaid(t.searching);
    const said = await found(api, text, signal).catch(inWords);
    if (!signal.aborted) setSaid(said);
  };
  return (
    <form
      role="search"
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        const text = input.current?.value.trim();
        if (text) void find(text);
      }}
    >
      <input
        ref={input}
        type="search"
        aria-label={t.label}
        placeholder={t.placeholder}
        autocomplete="off"
        spellcheck={false}
        onInput={() => {
          search.current.abort();
          setSaid('');
        }}
      />
      <button type="submit">{t.submit}</button>
      <p role="status">{said}</p>
    </form>
  );
}

/** Goes there; else says what is wrong. What is in a number, the API alone knows. */
async function found(api: Api, text: string, signal: AbortSignal): Promise<string> {
  // As people paste it, or read it out in groups.
  const number = text.replace(/^(order\s)?\s*#?|\s/gi, '');
  const order = await api.getOrder(number || text, signal).catch(notFound);
  if (!(order instanceof Refusal)) return show({ screen: 'order', id: order.body.orderNumber });
  const orders = await api.listCustomerOrders(text, { limit: 1 }, signal).catch(notFound);
  if (orders instanceof Refusal || !orders.body.items.length) {
    const why = order.type === 'order-not-found' ? order.message : '';
    if (why && MEANT_AS_NUMBER.test(number)) return why;
    const isLong = text.length > MOST_CHARACTERS;
    return `${why} ${t.nobody(isLong ? `${text.slice(0, MOST_CHARACTERS)}…` : text)}`;
  }
  return show({ screen: 'customer', customerId: text, from: '', to: '', oldestFirst: false });
}

function show(place: Place): string {
  // What is open already isn't opened again, and wouldn't take the focus.
  if (location.hash === formatPlace(place)) document.querySelector('h1')?.focus();
  go(place);
  return '';
}

/** 400 is what can't be anybody's id. */
function notFound(error: unknown): Refusal {
  if (error instanceof Refusal && (error.status === 404 || error.status === 400)) return error;
  throw error;
}
