import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Job } from '@/live/jobs';
import { useJobs } from '@/live/live';
import { classes } from '@/ui/classes';
import { useTick } from '@/ui/clock';
import { Progress } from '@/ui/Progress';
import { kept, useCanceling } from './canceling';
import { etaWords } from './eta';
import styles from './JobsBar.module.css';
import { summaryOf } from './summary';

const HEIGHT = '--jobs-bar';

/** At the foot of narrow screens, or of any: how far everything is, whatever else is folded away. */
export function JobsBar({ always }: { always: boolean }) {
  const jobs = kept(useJobs(), useCanceling());
  const shown = jobs.length > 0;
  useEffect(() => {
    if (!shown) return;
    document.documentElement.style.setProperty(HEIGHT, '40px');
    return () => void document.documentElement.style.removeProperty(HEIGHT);
  }, [shown]);
  if (!shown) return null;
  const { words, progress, bar, last } = summaryOf(jobs);
  return (
    <Link to="/studio/jobs" className={classes(styles.bar, always && styles.always)}>
      <span aria-hidden="true" className={styles.progress}>
        <Progress label={words} value={bar} />
      </span>
      <span className={styles.words}>
        <span className={styles.what}>{words}</span>
        {last && <Left job={last} />}
        {progress !== null && <span className={styles.number}>{Math.floor(progress * 100)} %</span>}
      </span>
    </Link>
  );
}

function Left({ job }: { job: Job }) {
  return <span className={styles.left}>{etaWords(job, useTick())}</span>;
}
