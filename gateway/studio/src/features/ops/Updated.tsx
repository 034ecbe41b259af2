import { asProblem } from '@/api/problem';
import { classes } from '@/ui/classes';
import { useNow } from './clock';
import styles from './Updated.module.css';
import { span } from './words';

interface Props {
  query: { dataUpdatedAt: number; error: unknown };
}

/** How fresh what is shown is. It ticks in silence; only trouble is told to those who listen. */
export function Updated({ query }: Props) {
  const now = useNow();
  const seconds = Math.max(0, Math.round((now - query.dataUpdatedAt) / 1000));
  const seen = query.dataUpdatedAt > 0 ? `updated ${seconds === 0 ? 'now' : `${span(seconds)} ago`}` : '';
  const trouble = query.error && query.dataUpdatedAt > 0 ? asProblem(query.error).message : null;
  return (
    <p className={classes(styles.updated, trouble && styles.stale)}>
      <span className={styles.dot} aria-hidden="true" />
      {trouble && <span role="status">{trouble}</span>} {seen}
    </p>
  );
}
