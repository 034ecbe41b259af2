import type { ReactNode } from 'react';
import styles from './InlineButton.module.css';

/** A way out within a sentence. */
export function InlineButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={styles.inline} onClick={onClick}>
      {children}
    </button>
  );
}
