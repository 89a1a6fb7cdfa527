import { useEffect, useState } from 'preact/hooks';

import { OPEN_STATUSES } from './generated/domain';

/** What of a list is shown. `from` and `to` are days in the reader's zone, both inclusive. */
export interface Range {
  readonly from: string;
  readonly to: string;
  readonly oldestFirst: boolean;
}

/** Where the reader is: it stands in the address, after `#`, so that it can be kept and sent. */
export type Place =
  | ({ readonly screen: 'orders'; readonly status: string } & Range)
  | ({ readonly screen: 'customer'; readonly customerId: string } & Range)
  | { readonly screen: 'order'; readonly id: string }
  | { readonly screen: 'days'; readonly count: number };

export type ListPlace = Extract<Place, { screen: 'orders' | 'customer' }>;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
export const DAY_COUNTS: readonly number[] = [7, 30, 90];

export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [screen, ...rest] = path.split('/').map(decoded);
  const parameters = new URLSearchParams(query);
  const range = (oldestFirst: boolean): Range => ({
    from: date(parameters.get('from')),
    to: date(parameters.get('to')),
    oldestFirst: parameters.has('sort') ? parameters.get('sort') === 'oldest' : oldestFirst,
  });
  const id = rest.join('/');
  if (screen === 'customers' && id) return { screen: 'customer', customerId: id, ...range(false) };
  if (screen === 'days') {
    const count = Number(parameters.get('days'));
    return { screen: 'days', count: DAY_COUNTS.includes(count) ? count : 30 };
  }
  if (screen === 'orders' && id) return { screen: 'order', id };
  const list = statusPlace(parameters.get('status') ?? 'PAID');
  return { ...list, ...range(list.oldestFirst) };
}

/** The whole list of a status. Where somebody is to act, the oldest come first. */
export function statusPlace(status: string): ListPlace {
  const oldestFirst = OPEN_STATUSES.includes(status);
  return { screen: 'orders', status, from: '', to: '', oldestFirst };
}

export function formatPlace(place: Place): string {
  switch (place.screen) {
    case 'order':
      return `#/orders/${encodeURIComponent(place.id)}`;
    case 'days':
      return `#/days?days=${place.count}`;
    case 'orders':
      return `#/orders?${rangeQuery(place, { status: place.status })}`;
    case 'customer':
      return `#/customers/${encodeURIComponent(place.customerId)}?${rangeQuery(place, {})}`;
  }
}

function rangeQuery(range: Range, more: Record<string, string>): URLSearchParams {
  const parameters = new URLSearchParams(more);
  parameters.set('sort', range.oldestFirst ? 'oldest' : 'newest');
  if (range.from) parameters.set('from', range.from);
  if (range.to) parameters.set('to', range.to);
  return parameters;
}

function date(text: string | null): string {
  if (text === null || !DATE.test(text)) return '';
  const read = new Date(text);
  // February 30 is read as March 2.
  return Number.isNaN(read.getTime()) || !read.toISOString().startsWith(text) ? '' : text;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function go(place: Place): void {
  location.hash = formatPlace(place);
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return parsePlace(hash);
}
