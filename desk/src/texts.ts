import type { Age } from './time';

/** Every text that the desk shows, for translation. */

/** Of the words here, whatever the reader's; numbers, dates and money look as the reader writes them. */
const LANGUAGE = 'en';

const number = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: 'always' });

function count(value: number, one: string, many: string): string {
  return `${number.format(value)} ${value === 1 ? one : many}`;
}

/** What people call a status that they know; another one is shown as the API writes it. */
const STATUSES: Record<string, string> = {
  PENDING: 'Pending',
  PAID: 'Paid',
  SHIPPED: 'Shipped',
  CANCELED: 'Canceled',
};

const LISTS: Record<string, string> = {
  PENDING: 'Unpaid',
  PAID: 'To ship',
};

const KEYS: Record<string, string> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
};

const CHANGES: Record<string, string> = {
  PAID: 'Mark as paid',
  SHIPPED: 'Mark as shipped',
  CANCELED: 'Cancel the order',
};

const REASONS: Record<string, string> = {
  expired: 'expired: not paid in time',
  'out-of-stock': 'out of stock',
  'payment-declined': 'payment declined',
  other: 'another reason',
  unspecified: 'no reason given',
};

/** The word for a name, which may come from anywhere: `constructor` is no word. */
function word(words: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

const status = (name: string) => word(STATUSES, name) ?? name;
const change = (name: string) => word(CHANGES, name) ?? `Change to ${name}`;

export const texts = {
  titled: (screen: string) => `${screen} – Orders`,
  status,
  reason: (reason: string) => word(REASONS, reason) ?? reason,
  list: (name: string) => word(LISTS, name) ?? status(name),
  change,
  number: (value: number) => number.format(value),
  ordersShown: (value: number) => count(value, 'order shown', 'orders shown'),
  navigation: 'Lists',
  skip: 'Skip to the content',
  days: 'Daily revenue',
  loading: 'Loading …',
  unsettled: 'Still unsaved:',
  abandon: (orderNumbers: readonly string[]) =>
    `Changes of these orders are still being saved: ${orderNumbers.join(', ')}. Abandon them?`,

  find: {
    label: 'Order number or id, or customer id',
    placeholder: 'Number, id or customer',
    submit: 'Find',
    searching: 'Searching …',
    nobody: (text: string) => `No orders found for customer “${text}”.`,
  },

  signIn: {
    title: 'Sign in',
    submit: 'Sign in',
    again: 'Sign in again',
    ended: 'Your session has ended. Sign in again to go on: nothing that you typed is lost.',
    token: 'Access token',
    tokenHint: 'This stage has no sign-in of its own. Paste a staff access token.',
    notAToken: 'This is not an access token: it has three parts, separated by dots.',
    failed: (why: string) => `The sign-in failed: ${why}`,
    denied: 'it was canceled or not allowed.',
    notBegunHere: 'it was started in another tab, or has already been used.',
    wrongClock: 'the clock of this computer is wrong. Set it, and try again.',
    unreachable: 'the sign-in service can’t be reached.',
    issuerSays: (description: string) => `the sign-in service says: ${description}`,
    invalid: (what: string) => `the sign-in service sent something unexpected: ${what}`,
    out: 'Sign out',
    leaving: 'Signing out …',
    leftAt: (issuer: string) => `You are signed out here, but maybe not at ${issuer}.`,
    notStaff: 'This desk is for staff',
    notStaffHint:
      'You are signed in, but not as staff, so there is nothing here for you. ' +
      'If you work here, ask whoever manages accounts to make you staff, and sign in again.',
  },

  orders: {
    number: 'Order',
    customer: 'Customer',
    amount: 'Amount',
    status: 'Status',
    placed: 'Placed',
    ago: ({ value, unit }: Age) => (value ? relative.format(-value, unit) : 'just now'),
    from: 'From',
    to: 'To',
    sort: 'Sort by',
    oldest: 'Oldest first',
    newest: 'Newest first',
    more: 'Show more',
    refresh: 'Refresh',
    none: 'No orders here.',
    now: (name: string) => `now ${status(name).toLowerCase()}`,
    news: (value: number) => `Show ${count(value, 'new order', 'new orders')}`,
    outdated: 'Out of date: refresh',
    filter: 'Time range and sorting',
    backwards: 'The range ends before it begins: choose another day.',
    noStatus: (name: string) => `No order can have the status “${name}”.`,
    ofCustomer: (id: string) => `Customer ${id}`,
  },

  order: {
    title: (orderNumber: string) => `Order ${orderNumber}`,
    items: 'Items',
    quantity: 'Quantity',
    item: 'Item',
    unitAmount: 'Each',
    customer: 'Customer',
    placed: 'Placed',
    changed: 'Changed',
    orderId: 'Id',
    notes: 'Notes',
    history: 'History',
    final: 'This order is final. Its status can no longer change.',
    reason: 'Reason',
    reasonHint: 'The customer can read it.',
    reasonMissing: 'Say why.',
    written: 'You had written:',
    back: 'Back to the list',
    keep: 'Keep the order as it is',
    over: 'OK',
    next: 'Next order',
    previous: 'Previous order',
    last: 'That was the last order in the list.',
    confirm: (name: string, amount: string) =>
      name === 'CANCELED' ? `Cancel this order of ${amount}?` : `${change(name)}: ${amount}?`,
    sending: 'Saving …',
    waiting: {
      'no-response': 'No connection. Retrying until the platform responds.',
      busy: 'The platform is busy. Retrying until the change is made.',
      error: 'The platform reports an error. Retrying.',
    },
    tryNow: 'Try now',
    done: (name: string) => `Done: the order is ${status(name).toLowerCase()}.`,
    conflict: 'Someone else has changed this order:',
    conflictAgain: 'Do you still want this?',
    conflictOver: 'This change is no longer possible.',
    refused: (why: string) => `Not changed: ${why}`,
    unknown: (why: string) => `It is not known whether the order was changed: ${why}`,
    actions: 'Change the order',
    already: 'The order already has this status.',
    news: (name: string) => `This order has changed: it is ${status(name).toLowerCase()} now.`,
    reload: 'Show it',
    began: 'Placed',
    forgotten: 'Erased: the customer was forgotten',
  },

  actor: (name: string, id: string | undefined) => {
    if (name === 'customer') return 'by the customer';
    if (name === 'staff') return id ? `by staff (${id})` : 'by staff';
    return `by the platform (${name.replace('system:', '')})`;
  },

  reports: {
    range: 'Days to show',
    last: (days: number) => `Last ${days} days`,
    sum: (currency: string, orders: number, revenue: string) =>
      `${currency}: ${revenue} from ${count(orders, 'order', 'orders')}`,
    revenue: (currency: string) => `Revenue per day, ${currency}`,
    placed: (currency: string) => `Orders per day, ${currency}`,
    perDay: (currency: string) => `Orders and revenue per day, ${currency}`,
    plot: (title: string, first: string, last: string, total: string, most: string, on: string) =>
      `${title}, ${first} to ${last}. Total: ${total}. Highest: ${most} on ${on}.`,
    day: 'Day (UTC)',
    orders: 'Orders',
    ordersOf: (orders: number) => count(orders, 'order', 'orders'),
    money: 'Revenue',
    total: 'Total',
    rounded: (amount: string) => `about ${amount}`,
    statuses: (currency: string) => `Statuses, ${currency}`,
    reasons: 'Cancellation reasons, all currencies',
    asTable: (currency: string) => `As a table, ${currency}`,
    none: 'There are no reports of these days yet.',
    noOrders: 'No orders were placed on these days.',
    noReport: 'no report',
    loading: (days: number) => `Loading ${count(days, 'day', 'days')} …`,
    missing: (days: number) => `${count(days, 'day has', 'days have')} no report.`,
    failed: (days: number) => `${count(days, 'day', 'days')} could not be loaded.`,
    leftOut: (orders: number) =>
      orders === 1
        ? '1 order could not be read and is missing here.'
        : `${number.format(orders)} orders could not be read and are missing here.`,
    hint:
      'Days are in UTC. A day’s report is made after midnight, so today has none yet. ' +
      'Revenue counts paid and shipped orders.',
  },

  problem: {
    unreachable: 'No connection to the platform.',
    busy: 'The platform is busy.',
    tooMany: 'Too many requests at once.',
    other: (status: number) => `The platform responded with an error (${status}).`,
    retry: 'Try again',
    request: (id: string) => `Request ${id}`,
  },

  keys: {
    title: 'Keyboard',
    open: 'Keyboard shortcuts',
    use: 'Use single-key shortcuts',
    close: 'Close',
    find: 'Find an order',
    help: 'Show these keys',
    down: 'Next row',
    up: 'Previous row',
    refresh: 'Refresh the list',
    name: (key: string) => KEYS[key] ?? key,
  },
} as const;
