import type { ReactNode } from 'react';
import { classes } from './classes';
import styles from './EmptyState.module.css';

interface Props {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** In a card, among other things. */
  small?: boolean;
}

/** Where there is nothing yet: what will be here, and how it gets there. */
export function EmptyState({ icon, title, children, action, small }: Props) {
  return (
    <div className={classes(styles.empty, small && styles.small)}>
      <span className={styles.icon} aria-hidden="true">
        {icon}
      </span>
      <h2>{title}</h2>
      {children && <div className={styles.text}>{children}</div>}
      {action}
    </div>
  );
}
