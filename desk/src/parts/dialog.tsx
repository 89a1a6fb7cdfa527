import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface Props {
  readonly title: string;
  /** Without it the dialog can't be dismissed. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** Over everything else, with the focus in it. */
export function Dialog({ title, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before the element goes: a dialog that is closed gives the focus back.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose?.();
  };
  // A browser may let a second Escape close any dialog.
  const closed = () => {
    if (onClose) onClose();
    else if (element.current?.isConnected) element.current.showModal();
  };
  return (
    <dialog ref={element} aria-labelledby={titleId} onCancel={cancel} onClose={closed}>
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
