/** Every text that the desk shows, for translation. */

const number = new Intl.NumberFormat();

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
  PENDING: 'Waiting for payment',
  PAID: 'To pack and ship',
};

const TABS: Record<string, string> = {
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

export const texts = {
  title: 'Orders',
  titled: (screen: string) => `${screen} – Orders`,
  status,
  reason: (reason: string) => word(REASONS, reason) ?? reason,
  list: (name: string) => word(LISTS, name) ?? status(name),
  tab: (name: string) => word(TABS, name) ?? status(name),
  change: (name: string) => word(CHANGES, name) ?? `Change to ${name}`,
  number: (value: number) => number.format(value),
  count,
  ordersShown: (value: number) => count(value, 'order shown', 'orders shown'),
  navigation: 'Lists',
  skip: 'Skip to the content',
  days: 'Days',
  loading: 'Loading …',
  unsettled: 'Not changed yet:',

  find: {
    label: 'Order number or id, or customer id',
    placeholder: 'Number, id or customer',
    submit: 'Find',
    searching: 'Searching …',
    nobody: (text: string) => `No customer “${text}” has orders.`,
  },

  signIn: {
    title: 'Sign in',
    submit: 'Sign in',
    again: 'Sign in again',
    ended: 'Your session has ended. Sign in again to go on: nothing that you typed is lost.',
    token: 'Access token',
    tokenHint: 'This stage has no sign-in of its own. Paste an access token of staff.',
    notAToken: 'This is not an access token: it has three parts, separated by dots.',
    failed: (why: string) => `The sign-in failed: ${why}`,
    denied: 'it was canceled or not allowed.',
    notBegunHere: 'it was not begun in this tab, or it was used already.',
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
    waiting: (age: string) => `${age} ago`,
    from: 'From',
    to: 'To',
    sort: 'Order by',
    oldest: 'Oldest first',
    newest: 'Newest first',
    more: 'Show more',
    refresh: 'Refresh',
    none: 'There are no such orders.',
    now: (name: string) => `now ${status(name).toLowerCase()}`,
    news: (value: number) => count(value, 'new order', 'new orders'),
    outdated: 'This list is not up to date.',
    showNews: 'Show',
    ofCustomer: (id: string) => `Customer ${id}`,
  },

  order: {
    title: (orderNumber: string) => `Order ${orderNumber}`,
    items: 'Items',
    quantity: 'Quantity',
    item: 'Item',
    unitAmount: 'Each',
    total: 'Total',
    customer: 'Customer',
    placed: 'Placed',
    changed: 'Changed',
    orderId: 'Id',
    notes: 'Notes',
    history: 'History',
    final: 'This order is finished: its status can’t change any more.',
    reason: 'Reason',
    reasonHint: 'The customer can read it.',
    back: 'Back to the list',
    keep: 'Don’t change it',
    next: 'Next order',
    previous: 'Previous order',
    last: 'That was the last order of the list.',
    confirm: (change: string, amount: string) => `${change}: ${amount}?`,
    sending: 'Saving …',
    noResponse: 'No connection. The change is sent again until there is a response.',
    busy: 'The platform is busy. The change is sent again until it is done.',
    tryNow: 'Try now',
    done: (name: string) => `Done: the order is ${status(name).toLowerCase()}.`,
    conflict: 'Somebody changed this order meanwhile:',
    conflictAgain: 'Do you still want this?',
    conflictOver: 'What you wanted isn’t possible any more.',
    refused: (why: string) => `Not changed: ${why}`,
    actions: 'Change the order',
    already: 'It is what you wanted already.',
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
    title: 'Days',
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
    reasons: 'Reasons for cancellation, all currencies',
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
      'Revenue is what is paid or shipped.',
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
    use: 'Use shortcuts of a single key',
    close: 'Close',
    find: 'find an order',
    help: 'show this',
    list: (name: string) => `list: ${word(LISTS, name) ?? status(name)}`,
    days: 'days',
    down: 'next row',
    up: 'previous row',
    refresh: 'refresh the list',
    name: (key: string) => KEYS[key] ?? key,
  },
} as const;
