import { useMutation } from '@tanstack/react-query';
import { cancel } from '@/api/generations';
import { isOver, type Job } from '@/live/jobs';
import { Button } from '@/ui/Button';
import { Progress } from '@/ui/Progress';
import { Duration } from '@/ui/Time';
import { sayProblem } from '@/ui/toasts';
import styles from './JobCard.module.css';
import { doing } from './stages';

/** How far one generation is, and its cancel button. */
export function JobCard({ job }: { job: Job }) {
  const stop = useMutation({ mutationFn: () => cancel(job.id), onError: sayProblem });
  const prompt = String(job.resource?.input.prompt ?? job.resource?.input.text ?? job.resource?.kind ?? '');
  return (
    <div className={styles.card}>
      <div className={styles.line}>
        <span className={styles.prompt}>{prompt}</span>
        <span className={styles.facts} aria-live="polite">
          {doing(job)}
        </span>
        {job.etaSeconds !== null && !isOver(job) && (
          <span className={styles.facts}>
            about <Duration seconds={job.etaSeconds} /> left
          </span>
        )}
        <Button size="sm" busy={stop.isPending} onClick={() => stop.mutate()}>
          Cancel
        </Button>
      </div>
      <Progress label={doing(job)} value={job.progress} />
    </div>
  );
}
