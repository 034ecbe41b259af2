import { useQuery } from '@tanstack/react-query';
import { generationQuery, hasEnded } from '@/api/generations';
import { JobCard } from '@/features/watch/JobCard';
import { jobOf } from '@/live/jobs';
import { useJob } from '@/live/live';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Outputs } from './Outputs';

/** One generation, from its place in the queue to what it made. */
export function Result({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(generationQuery(id));
  const job = useJob(id);
  if (error && !data) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <>
        <Loading />
        <Skeleton height={320} />
      </>
    );
  }
  if (!hasEnded(data)) return <JobCard job={job ?? jobOf(data, Date.now())} />;
  if (data.error) return <ErrorCard error={new Error(data.error.message)} />;
  return <Outputs generation={data} />;
}
