import { Link } from '@tanstack/react-router';
import { useJobs } from '@/live/live';
import { Progress } from '@/ui/Progress';
import { kept, useCanceling } from './canceling';
import { summaryOf } from './summary';
import styles from './Tray.module.css';
import { titleOf } from './titles';

const SHOWN = 3;

/** At the foot of the navigation: what runs, and how far it is. */
export function Tray() {
  const jobs = kept(useJobs(), useCanceling());
  if (jobs.length === 0) return null;
  const { words, progress, bar } = summaryOf(jobs);
  const shown = jobs.toSorted((a, b) => Number(b.status === 'running') - Number(a.status === 'running'));
  return (
    <Link to="/studio/jobs" className={styles.tray}>
      <span className={styles.head}>
        {words}
        {progress !== null && <span className={styles.number}>{Math.floor(progress * 100)} %</span>}
      </span>
      <span aria-hidden="true">
        <Progress label={words} value={bar} />
      </span>
      {shown.slice(0, SHOWN).map((job) => (
        <span key={job.id} className={styles.job}>
          <span className={styles.title}>{titleOf(job)}</span>
          {job.progress !== null && <span className={styles.number}>{Math.floor(job.progress * 100)} %</span>}
        </span>
      ))}
      {jobs.length > SHOWN && <span className={styles.job}>and {jobs.length - SHOWN} more</span>}
    </Link>
  );
}
