import { Children, type ReactNode } from 'react';
import { classes } from '@/ui/classes';
import styles from './JobList.module.css';

interface Props {
  title: string;
  count: number;
  /** One frame around all, instead of one around each. */
  framed?: boolean;
  children: ReactNode;
}

/** Jobs in the same state; nothing when there are none. */
export function JobList({ title, count, framed, children }: Props) {
  if (count === 0) return null;
  return (
    <section aria-label={title} className={styles.section}>
      <h2 className={styles.title}>
        {title} <span className={styles.count}>{count}</span>
      </h2>
      <ul className={classes(styles.list, framed && styles.framed)}>
        {Children.map(children, (child) => (
          <li>{child}</li>
        ))}
      </ul>
    </section>
  );
}
