import { Link } from '@tanstack/react-router';
import type { OpsJob } from '@/api/ops';
import { Badge } from '@/ui/Badge';
import { Money } from '@/ui/Money';
import type { Column } from '@/ui/Table';
import { Time } from '@/ui/Time';
import styles from './jobColumns.module.css';
import { labelOf } from './throughput';
import { plain, toneOf } from './words';

export function shortId(id: string): string {
  return `…${id.slice(-8)}`;
}

export function nameOf(job: OpsJob): string {
  return `${plain(job.kind)} job ${shortId(job.id)}`;
}

export const JOB_COLUMNS: readonly Column<OpsJob>[] = [
  {
    title: 'Job',
    cell: (job) => (
      <Link to="/ops/jobs/$id" params={{ id: job.id }} className={styles.job}>
        <span className={styles.prompt}>{job.prompt || 'No prompt'}</span>
        <span className={styles.id}>{shortId(job.id)}</span>
      </Link>
    ),
  },
  { title: 'Kind', cell: (job) => labelOf(job.kind) },
  { title: 'Status', cell: (job) => <Status job={job} /> },
  {
    title: 'Provider and model',
    cell: (job) => (
      <span
        className={styles.clip}
        title={`${job.provider ?? 'not chosen'} · ${job.provider_model ?? job.model}`}
      >
        {job.provider && <>{job.provider} · </>}
        {job.provider_model ?? job.model}
      </span>
    ),
  },
  { title: 'Account', cell: (job) => <span className={styles.clip}>{job.account.name}</span> },
  { title: 'Tries', numeric: true, cell: (job) => job.attempts },
  { title: 'Cost', numeric: true, cell: (job) => (job.cost ? <Money nanos={job.cost.nanos} /> : '–') },
  { title: 'Made', numeric: true, cell: (job) => <Time at={job.created_at} /> },
];

export function Status({ job }: { job: OpsJob }) {
  return (
    <span className={styles.status}>
      <Badge tone={toneOf(job.status)}>{plain(job.status)}</Badge>
      <span className={styles.why}>{why(job)}</span>
    </span>
  );
}

/** What is more about its status: the stage, the error, that somebody wants it stopped. */
function why(job: OpsJob): string {
  if (job.cancel_requested) return 'asked to stop';
  if (job.error && job.status !== 'completed' && job.status !== 'canceled') return job.error.code;
  if (job.run_now && job.status === 'queued') return 'runs next';
  return job.stage && (job.status === 'running' || job.status === 'queued')
    ? plain(job.stage).toLowerCase()
    : '';
}
