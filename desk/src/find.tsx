import { useRef, useState } from 'preact/hooks';

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
  const find = async (text: string) => {
    setSaid(t.searching);
    setSaid(await found(api, text).catch(inWords));
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
        onInput={() => setSaid('')}
      />
      <button type="submit">{t.submit}</button>
      <p role="status">{said}</p>
    </form>
  );
}

/** Goes there; else says what is wrong. What a number looks like, the API alone knows. */
async function found(api: Api, text: string): Promise<string> {
  let why: string;
  try {
    const { body } = await api.getOrder(text);
    go({ screen: 'order', id: body.orderNumber });
    return '';
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    why = error.message;
  }
  const { body } = await api.listCustomerOrders(text, { limit: 1 });
  if (!body.items.length) return `${why} ${t.nobody(text)}`;
  go({ screen: 'customer', customerId: text, from: '', to: '', oldestFirst: false });
  return '';
}
