import { asProblem } from '@/api/problem';
import { classes } from '@/ui/classes';
import { useNow } from './clock';
import { useListening } from './listening';
import styles from './Updated.module.css';
import { span } from './words';

interface Props {
  /** It is asked for again and again, because nothing tells when it changes. */
  measured?: boolean;
  query: { dataUpdatedAt: number; error: unknown };
}

/** Until then the line to the gateway may just be opening. */
const STALE_S = 3;

/** Whether what is shown is told of changes, else how fresh it is. It ticks in silence; only trouble is told to those who listen. */
export function Updated({ query, measured = false }: Props) {
  const listening = useListening();
  const now = useNow();
  const seconds = Math.max(0, Math.round((now - query.dataUpdatedAt) / 1000));
  const isLive = listening && !measured && !query.error;
  const seen = isLive
    ? 'Live'
    : query.dataUpdatedAt > 0 && (measured || seconds >= STALE_S)
      ? `Updated ${seconds === 0 ? 'now' : `${span(seconds)} ago`}`
      : '';
  const trouble = query.error && query.dataUpdatedAt > 0 ? asProblem(query.error).message : null;
  return (
    <p className={classes(styles.updated, trouble && styles.stale, isLive && styles.live)}>
      <span className={styles.dot} aria-hidden="true" />
      {trouble && <span role="status">{trouble}</span>} {seen}
    </p>
  );
}
