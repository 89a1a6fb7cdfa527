const DAY = 86_400_000;

const instants = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const shortDays = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  timeZone: 'UTC',
});

/** In the reader's zone. */
export function instant(rfc3339: string): string {
  return instants.format(new Date(rfc3339));
}

/** `2026-11-30 12:15:02 UTC`, for a title. */
export function utc(rfc3339: string): string {
  return `${new Date(rfc3339).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A UTC day such as `2026-11-30`, as people write it. */
export function day(date: string): string {
  return days.format(new Date(date));
}

/** The same without its year, for a plot. */
export function shortDay(date: string): string {
  return shortDays.format(new Date(date));
}

export interface Age {
  readonly value: number;
  readonly unit: 'minute' | 'hour' | 'day';
}

/** How long ago it was, in its largest unit, rounded down. A clock that is behind says 0 minutes. */
export function age(rfc3339: string, now: number): Age {
  const minutes = Math.max(0, Math.floor((now - Date.parse(rfc3339)) / 60_000));
  if (minutes < 60) return { value: minutes, unit: 'minute' };
  if (minutes < 24 * 60) return { value: Math.floor(minutes / 60), unit: 'hour' };
  return { value: Math.floor(minutes / 60 / 24), unit: 'day' };
}

/** The first instant of a day in the reader's zone, RFC 3339 in UTC; of the next with `days` 1. */
export function startOfDay(date: string, days = 0): string {
  const [year, month, dayOfMonth] = date.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, dayOfMonth + days).toISOString();
}

/** The last `count` UTC days before today, oldest first, such as `2026-11-30`. */
export function lastDays(count: number, now: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    new Date(now - (count - index) * DAY).toISOString().slice(0, 10),
  );
}
