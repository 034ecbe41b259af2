import type { ReactNode } from 'react';
import { useTitle } from './title';
import styles from './View.module.css';

interface Props {
  title: string;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  /** The title is only for the tab and for those who listen. */
  hideTitle?: boolean;
  children: ReactNode;
}

/** Every view begins with this: its heading, and its name in the tab. */
export function View({ title, actions, hideTitle, children }: Props) {
  useTitle(title);
  return (
    <div className={styles.view}>
      <header className={hideTitle && !actions ? 'unseen' : styles.head}>
        <h1 className={hideTitle ? 'unseen' : undefined}>{title}</h1>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
