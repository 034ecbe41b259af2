import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { keys } from '@/api/keys';
import { fetchOpsJob } from '@/api/opsJobs';
import { View } from '@/app/View';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { JobActions } from './JobActions';
import { JobFacts } from './JobFacts';
import styles from './JobView.module.css';
import { Json } from './Json';
import { nameOf } from './jobColumns';
import { Looking } from './Looking';
import { Submissions } from './Submissions';
import { Timeline } from './Timeline';
import { Trace } from './Trace';
import { Updated } from './Updated';
import { useWatched } from './watched';

/** All that is known of one generation, whoever it belongs to. */
export function JobView() {
  const id = useParams({ strict: false }).id ?? '';
  const query = useWatched([...keys.ops('job'), id], () => fetchOpsJob(id));
  const job = query.data;
  return (
    <View title={job ? nameOf(job) : 'Job'} actions={<Updated query={query} />}>
      <Link to="/ops/jobs" className={styles.back}>
        <ArrowLeft aria-hidden="true" />
        All jobs
      </Link>
      <Looking />
      {query.error && !job && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && (
        <>
          <Loading label="Loading the job" />
          <Skeleton height={180} />
          <Skeleton height={240} />
        </>
      )}
      {job && (
        <>
          <Card className={styles.top}>
            {job.prompt && <p className={styles.prompt}>{job.prompt}</p>}
            <JobFacts job={job} />
            <code className={styles.id}>{job.id}</code>
            <JobActions job={job} />
          </Card>
          {job.error && (
            <Card title="Error" className={styles.error}>
              <p>{job.error.message}</p>
              <p className={styles.small}>
                <code>{job.error.code}</code> ·{' '}
                {job.error.retryable ? 'may pass by itself' : 'will not pass by itself'}
                {job.fingerprint && (
                  <>
                    {' · '}
                    <Link to="/ops/jobs" search={{ fingerprint: job.fingerprint } as never}>
                      all of this cause
                    </Link>
                  </>
                )}
              </p>
              <Trace job={job} />
            </Card>
          )}
          <Submissions submissions={job.submissions} />
          <div className={styles.columns}>
            <Card title="Timeline">
              <Timeline events={job.events} />
            </Card>
            <div className={styles.stack}>
              <Card title="Input">
                <Json value={job.input} />
                {Object.keys(job.files).length > 0 && <Json value={job.files} />}
              </Card>
              <Card title="Decision">
                <Json value={job.decision} />
              </Card>
            </div>
          </div>
        </>
      )}
    </View>
  );
}
