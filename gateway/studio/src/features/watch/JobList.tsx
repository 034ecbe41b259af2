import { type ReactNode, useState } from 'react';
import { Button } from '@/ui/Button';
import { classes } from '@/ui/classes';
import styles from './JobList.module.css';

const MOST_AT_FIRST = 50;

interface Props<T> {
  title: string;
  items: readonly T[];
  /** One frame around all, instead of one around each. */
  framed?: boolean;
  children: (item: T) => ReactNode;
}

/** Jobs in the same state, the first of many; nothing when there are none. */
export function JobList<T extends { id: string }>({ title, items, framed, children }: Props<T>) {
  const [all, setAll] = useState(false);
  if (items.length === 0) return null;
  const shown = all ? items : items.slice(0, MOST_AT_FIRST);
  const more = items.length - shown.length;
  return (
    <section aria-label={title} className={styles.section}>
      <h2 className={styles.title}>
        {title} <span className={styles.count}>{items.length}</span>
      </h2>
      <ul className={classes(styles.list, framed && styles.framed)}>
        {shown.map((item) => (
          <li key={item.id}>{children(item)}</li>
        ))}
      </ul>
      {more > 0 && (
        <Button size="sm" className={styles.more} onClick={() => setAll(true)}>
          Show {more} more
        </Button>
      )}
    </section>
  );
}
