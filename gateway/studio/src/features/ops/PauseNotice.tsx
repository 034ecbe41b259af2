import type { Queue } from '@/api/ops';
import { Time } from '@/ui/Time';
import { Countdown } from './Countdown';
import styles from './PauseNotice.module.css';

/** Who lets the queue rest, why, and until when. */
export function PauseNotice({ queue }: { queue: Queue }) {
  const pause = queue.pause;
  if (!pause) return null;
  return (
    <p className={styles.notice}>
      {pause.mode === 'drain' ? 'Drained' : 'Paused'} <Time at={pause.at} />
      {pause.by && ` by ${pause.by}`}
      {pause.until ? (
        <>
          , <Countdown until={pause.until} />
        </>
      ) : (
        ', until somebody resumes it'
      )}
      {pause.reason && <span className={styles.reason}>{pause.reason}</span>}
    </p>
  );
}
