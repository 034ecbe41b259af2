import { Activity } from 'lucide-react';
import { View } from '@/app/View';
import { useConnection, useJobs } from '@/live/live';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { CancelAll } from './CancelAll';
import { EndedJob } from './EndedJob';
import { JobCard } from './JobCard';
import { JobList } from './JobList';
import { useRecent } from './recent';
import { useFreshEtas } from './useFreshEtas';

/** What runs, what queues and what ended last, in this tab or in any other. */
export function JobsView() {
  const jobs = useJobs();
  const connection = useConnection();
  const recent = useRecent();
  useFreshEtas(jobs.length > 0);
  const running = jobs.filter((job) => job.status === 'running');
  const queued = jobs.filter((job) => job.status === 'queued');
  const ended = recent.items;
  const knows = connection === 'live' && !recent.isPending;
  return (
    <View title="Jobs" actions={<CancelAll jobs={jobs} />}>
      {knows && jobs.length === 0 && ended.length === 0 && (
        <EmptyState icon={<Activity />} title="Nothing is running">
          What you generate shows its progress here, on all your devices.
        </EmptyState>
      )}
      <JobList title="Running" items={running}>
        {(job) => <JobCard job={job} quiet />}
      </JobList>
      <JobList title="Queued" items={queued}>
        {(job) => <JobCard job={job} quiet />}
      </JobList>
      {recent.isPending && (
        <>
          <Loading />
          <Skeleton height={64} />
          <Skeleton height={64} />
          <Skeleton height={64} />
        </>
      )}
      {recent.error && !recent.data && (
        <ErrorCard error={recent.error} onRetry={() => void recent.refetch()} />
      )}
      <JobList title="Recently ended" items={ended} framed>
        {(generation) => <EndedJob generation={generation} />}
      </JobList>
    </View>
  );
}
