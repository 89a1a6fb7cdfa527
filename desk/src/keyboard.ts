import { useLayoutEffect } from 'preact/hooks';

import { Observable } from './observable';

export interface Shortcut {
  /** As KeyboardEvent.key gives it. */
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
  /** Whether it goes on while the key is held down. */
  readonly repeats?: boolean;
}

const STORED = 'desk.shortcuts';

/** The shortcuts of what is on the screen, the innermost last. */
class Keyboard extends Observable {
  private readonly layers: (readonly Shortcut[])[] = [];

  /** Some people's speech input types single characters: WCAG 2.1.4 lets them turn this off. */
  get isOn(): boolean {
    return localStorage.getItem(STORED) !== 'off';
  }

  turn(on: boolean): void {
    if (on) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, 'off');
    this.changed();
  }

  get shortcuts(): Shortcut[] {
    const found = new Map<string, Shortcut>();
    for (const shortcut of this.layers.flat()) found.set(shortcut.key, shortcut);
    return [...found.values()];
  }

  add(shortcuts: readonly Shortcut[]): () => void {
    this.layers.push(shortcuts);
    return () => void this.layers.splice(this.layers.indexOf(shortcuts), 1);
  }

  readonly press = (event: KeyboardEvent): void => {
    if (!this.isOn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const target = event.target as HTMLElement;
    if (target.closest('input, select, textarea')) return;
    const shortcut = this.shortcuts.find(({ key }) => key === event.key);
    if (!shortcut || (event.repeat && !shortcut.repeats)) return;
    event.preventDefault();
    shortcut.run();
  };
}

export const keyboard = new Keyboard();

/** While the component is shown. What was on the screen before can't be pressed any more. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useLayoutEffect(() => keyboard.add(shortcuts));
}
