import { useQuery } from '@tanstack/react-query';
import type { Generation } from '@/api/client';
import { generationQuery, hasEnded } from '@/api/generations';
import { FailureCard } from '@/features/watch/FailureCard';
import { useJob } from '@/live/live';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Finished } from './Finished';
import styles from './Finished.module.css';
import { Making } from './Making';
import { useReuse } from './reusing';

interface Props {
  id: string;
  onMade: (made: readonly Generation[]) => void;
}

/** One generation, from its place in the queue to what it made; of a text that broke off, what there is. */
export function Result({ id, onMade }: Props) {
  const { data, error, refetch } = useQuery(generationQuery(id));
  const job = useJob(id);
  const reuse = useReuse();
  if (error && !data) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <>
        <Loading />
        <Skeleton height={320} />
      </>
    );
  }
  if (!hasEnded(data)) return <Making generation={data} job={job} />;
  if (data.status === 'completed') return <Finished generation={data} onMade={onMade} />;
  return (
    <>
      {job?.text && <p className={styles.words}>{job.text}</p>}
      <FailureCard
        generation={data}
        onRetried={(made) => onMade([made])}
        onEdit={() => reuse(data, 'edit')}
      />
    </>
  );
}
