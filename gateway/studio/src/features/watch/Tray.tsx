import { Link } from '@tanstack/react-router';
import { overall } from '@/live/jobs';
import { useConnection, useJobs } from '@/live/live';
import { Progress } from '@/ui/Progress';
import styles from './Tray.module.css';

/** At the foot of the navigation: how much runs, and whether news comes. */
export function Tray() {
  const jobs = useJobs();
  const connection = useConnection();
  if (connection === 'offline') return <p className={styles.offline}>No connection. Trying again …</p>;
  if (jobs.length === 0) return null;
  const words = jobs.length === 1 ? '1 job is running' : `${jobs.length} jobs are running`;
  return (
    <Link to="/studio/jobs" className={styles.tray}>
      {words}
      <Progress label={words} value={overall(jobs)} />
    </Link>
  );
}
