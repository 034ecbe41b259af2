import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Button, IconButton } from './Button';
import { classes } from './classes';
import styles from './Dialog.module.css';

interface Props {
  open: boolean;
  title: string;
  onClose: () => void;
  /** Buttons at its foot, the main one last. */
  actions?: ReactNode;
  /** `full` is for viewers. */
  size?: 'sm' | 'md' | 'lg' | 'full';
  /** A click beside it does not close it, and once something was filled in, nothing does without a question. */
  isForm?: boolean;
  children: ReactNode;
}

/** A native modal dialog: the focus stays inside and goes back where it came from; Escape closes. */
export function Dialog({ open, title, onClose, actions, size = 'md', isForm, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [dirty, setDirty] = useState(false);
  const [asking, setAsking] = useState(false);
  const from = useRef<Element | null>(null);
  useEffect(() => {
    const dialog = ref.current;
    setDirty(false);
    setAsking(false);
    if (!dialog || dialog.open === open) return;
    if (!open) return dialog.close();
    dialog.showModal();
    if (!isTouched()) firstOf(dialog, isForm)?.focus();
  }, [open, isForm]);
  useEffect(() => {
    if (!dirty) return;
    const stay = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', stay);
    return () => removeEventListener('beforeunload', stay);
  }, [dirty]);
  const goOn = () => {
    setAsking(false);
    if (from.current instanceof HTMLElement) from.current.focus();
  };
  const leave = () => {
    if (!dirty) return onClose();
    if (asking) return goOn();
    from.current = document.activeElement;
    setAsking(true);
  };
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      className={classes(styles.dialog, styles[size])}
      onClose={onClose}
      onCancel={(event) => {
        if (event.target !== ref.current || !dirty) return;
        event.preventDefault();
        leave();
      }}
      onKeyDown={(event) => {
        // A browser lets a page hold a dialog open against Escape once only, so it never learns of the key.
        if (event.key !== 'Escape' || !dirty) return;
        event.preventDefault();
        leave();
      }}
      onClick={(event) => event.target === ref.current && !isForm && onClose()}
    >
      {open && (
        <div className={styles.sheet}>
          <header className={styles.head}>
            <h2 id={id}>{title}</h2>
            <IconButton name="Close" icon={<X />} size="sm" onClick={leave} />
          </header>
          <div className={styles.body} onInput={() => isForm && setDirty(true)}>
            {children}
          </div>
          {asking ? (
            <Question onGoOn={goOn} onDiscard={onClose} />
          ) : (
            actions && <footer className={styles.foot}>{actions}</footer>
          )}
        </div>
      )}
    </dialog>
  );
}

/** With a finger a field opens a keyboard over what one came to read. */
function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

/** Where one begins: the form's first field, or the answer that changes nothing; else the browser's own choice. */
function firstOf(dialog: HTMLElement, isForm: boolean | undefined): HTMLElement | null {
  const fields = `.${styles.body} :is(input, select, textarea, button):enabled`;
  return dialog.querySelector<HTMLElement>(isForm ? fields : `.${styles.foot} button:enabled`);
}

/** In the place of the buttons, so that what was written stays in sight. */
function Question({ onGoOn, onDiscard }: { onGoOn: () => void; onDiscard: () => void }) {
  const ref = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => ref.current?.querySelector('button')?.focus(), []);
  return (
    <div ref={ref} role="alertdialog" aria-labelledby={id} className={styles.foot}>
      <p id={id} className={styles.question}>
        What you filled in is not saved.
      </p>
      <Button onClick={onGoOn}>Go on</Button>
      <Button look="danger" onClick={onDiscard}>
        Discard
      </Button>
    </div>
  );
}
