import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { texts } from '../texts';

interface Props {
  /** Of the document; what it says changes with the screen. */
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Of a screen. It takes the focus, so that a screen reader says where one has come to. */
export function Heading({ title, children }: Props) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = texts.titled(title);
    scrollTo(0, 0);
    element.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <h1 ref={element} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
