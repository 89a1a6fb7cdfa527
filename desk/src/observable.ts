import { useLayoutEffect, useReducer } from 'preact/hooks';

/** Something that changes, and that a screen shows as it is now. */
export class Observable {
  private readonly observers = new Set<() => void>();

  observe(observer: () => void): () => void {
    this.observers.add(observer);
    return () => void this.observers.delete(observer);
  }

  protected changed(): void {
    for (const observer of this.observers) observer();
  }
}

/** Renders the component again whenever it changes. */
export function useObservable<Observed extends Observable>(observed: Observed): Observed {
  const [, render] = useReducer((count: number) => count + 1, 0);
  // Before anything else can happen: no change is missed between showing it and observing it.
  useLayoutEffect(() => observed.observe(() => render(undefined)), [observed]);
  return observed;
}
