import { useEffect, useRef, useState } from 'preact/hooks';

import { type Api, Refusal } from './api';
import { useShortcuts } from './keyboard';
import { inWords } from './parts/show';
import { go } from './place';
import { texts } from './texts';

const t = texts.find;

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

/** Goes there; else says what is wrong. What a number looks like, the API alone knows. */
async function found(api: Api, text: string, signal: AbortSignal): Promise<string> {
  const order = await api.getOrder(text, signal).catch(notFound);
  if (!(order instanceof Refusal)) {
    go({ screen: 'order', id: order.body.orderNumber });
    return '';
  }
  const orders = await api.listCustomerOrders(text, { limit: 1 }, signal).catch(notFound);
  if (orders instanceof Refusal || !orders.body.items.length) {
    const why = order.type === 'order-not-found' ? order.message : '';
    return `${why} ${t.nobody(text)}`;
  }
  go({ screen: 'customer', customerId: text, from: '', to: '', oldestFirst: false });
  return '';
}

/** 400 is what can't be anybody's id. */
function notFound(error: unknown): Refusal {
  if (error instanceof Refusal && (error.status === 404 || error.status === 400)) return error;
  throw error;
}
