import { doing } from '@/features/watch/stages';
import { useFreshEtas } from '@/features/watch/useFreshEtas';
import { barOf } from '@/features/watch/waits';
import { useJobs } from '@/live/live';
import { Progress } from '@/ui/Progress';
import { titleFor } from './prompts';
import styles from './RunningStrip.module.css';

interface Props {
  kind: string;
  shown: string | null;
  onShow: (id: string) => void;
}

const MOST = 4;

/** What of this kind is being made besides what is shown. */
export function RunningStrip({ kind, shown, onShow }: Props) {
  const jobs = useJobs().filter((job) => job.resource?.kind === kind && job.id !== shown);
  useFreshEtas(jobs.some((job) => job.status === 'queued' && job.seq >= 0));
  if (jobs.length === 0) return null;
  return (
    <ul className={styles.strip} aria-label="Being made">
      {jobs.slice(-MOST).map((job) => (
        <li key={job.id}>
          <button type="button" className={styles.job} disabled={job.seq < 0} onClick={() => onShow(job.id)}>
            <span className={styles.title}>{job.resource ? titleFor(job.resource) : kind}</span>
            <span className={styles.doing}>{job.seq < 0 ? 'Sending' : doing(job)}</span>
            <Progress label={`${job.resource ? titleFor(job.resource) : kind}`} value={barOf(job)} />
          </button>
        </li>
      ))}
      {jobs.length > MOST && <li className={styles.more}>and {jobs.length - MOST} more</li>}
    </ul>
  );
}
