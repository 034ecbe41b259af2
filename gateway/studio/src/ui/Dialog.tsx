import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { IconButton } from './Button';
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
  /** A click beside it does not close it: what was typed would be lost. */
  isForm?: boolean;
  children: ReactNode;
}

/** A native modal dialog: the focus stays inside and goes back where it came from; Escape closes. */
export function Dialog({ open, title, onClose, actions, size = 'md', isForm, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog || dialog.open === open) return;
    if (open) dialog.showModal();
    else dialog.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes; Escape is the key for that
    <dialog
      ref={ref}
      aria-labelledby={id}
      className={classes(styles.dialog, styles[size])}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && !isForm && onClose()}
    >
      {open && (
        <div className={styles.sheet}>
          <header className={styles.head}>
            <h2 id={id}>{title}</h2>
            <IconButton name="Close" icon={<X />} size="sm" onClick={onClose} />
          </header>
          <div className={styles.body}>{children}</div>
          {actions && <footer className={styles.foot}>{actions}</footer>}
        </div>
      )}
    </dialog>
  );
}
