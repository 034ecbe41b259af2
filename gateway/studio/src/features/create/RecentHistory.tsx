import { Link } from '@tanstack/react-router';
import { Clock } from 'lucide-react';
import { Badge, type Tone } from '@/ui/Badge';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Money } from '@/ui/Money';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { stateWord } from '@/ui/states';
import { Time } from '@/ui/Time';
import { titleFor } from './prompts';
import styles from './Recent.module.css';
import { useRecent } from './recent';

interface Props {
  kind: string;
  shown: string | null;
  onShow: (id: string) => void;
}

const TONES: Readonly<Record<string, Tone>> = { failed: 'bad', expired: 'warn', running: 'accent' };

/** The latest of a kind, also what failed, as lines; all of it is in the history. */
export function RecentHistory({ kind, shown, onShow }: Props) {
  const { data, error, refetch } = useRecent(kind);
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div className={styles.lines}>
        <Loading />
        <Skeleton height={160} />
      </div>
    );
  }
  if (data.length === 0) {
    return (
      <EmptyState icon={<Clock />} title="Nothing here yet">
        Whatever you ask for is kept here, with what it cost.
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.lines}>
        {data.map((made) => (
          <li key={made.id}>
            <button
              type="button"
              className={styles.entry}
              aria-pressed={made.id === shown}
              onClick={() => onShow(made.id)}
            >
              <span className={styles.words}>{titleFor(made)}</span>
              <span className={styles.facts}>
                {made.status !== 'completed' && (
                  <Badge tone={TONES[made.status]}>{stateWord(made.status)}</Badge>
                )}
                <span>{made.resolved?.model ?? made.model}</span>
                {made.cost.actual && <Money nanos={made.cost.actual.nanos} />}
                <Time at={made.created_at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      <Link to="/studio/history" className={styles.all}>
        All of the history
      </Link>
    </>
  );
}
