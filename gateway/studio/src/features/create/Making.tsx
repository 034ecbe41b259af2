import { useMutation } from '@tanstack/react-query';
import type { Generation } from '@/api/client';
import { cancel } from '@/api/generations';
import { doing } from '@/features/watch/stages';
import { type Job, jobOf } from '@/live/jobs';
import { Button } from '@/ui/Button';
import { Money } from '@/ui/Money';
import { Progress } from '@/ui/Progress';
import { sayProblem } from '@/ui/toasts';
import styles from './Making.module.css';
import { inWords } from './price';
import { titleFor } from './prompts';

/** What is being made: how far it is, when it will be there, what it may cost, and how to stop it. */
export function Making({ generation, job }: { generation: Generation; job: Job | undefined }) {
  const now = job ?? jobOf(generation, Date.now());
  const stop = useMutation({ mutationFn: () => cancel(generation.id), onError: sayProblem });
  const eta = now.etaSeconds ?? generation.eta_seconds;
  const estimated = generation.cost.estimated;
  return (
    <div className={styles.making}>
      {now.text ? (
        <div className={styles.text} aria-live="off">
          {now.text}
          <span className={styles.caret} aria-hidden="true" />
        </div>
      ) : (
        <div className={styles.stage} style={{ aspectRatio: shapeOf(generation) }}>
          <p className={styles.title}>{titleFor(generation)}</p>
        </div>
      )}
      <Progress label={titleFor(generation)} value={now.progress} />
      <div className={styles.line}>
        <p className={styles.facts}>
          <span aria-live="polite" className={styles.doing}>
            {stop.isSuccess ? 'Being cancelled' : now.text ? 'Being written' : doing(now)}
          </span>
          {now.progress !== null && <span>{Math.round(now.progress * 100)} %</span>}
          {eta !== null && <span>{etaWords(eta, generation.eta_p90_seconds)}</span>}
          {estimated && <span>{estimated.nanos === 0 ? 'free' : <Money nanos={estimated.nanos} />}</span>}
          {generation.resolved && (
            <span>
              {generation.resolved.model} · {generation.resolved.provider}
            </span>
          )}
        </p>
        <Button size="sm" busy={stop.isPending} disabled={stop.isSuccess} onClick={() => stop.mutate()}>
          Cancel
        </Button>
      </div>
      {generation.trouble && <p className={styles.trouble}>{generation.trouble.advice}</p>}
    </div>
  );
}

function etaWords(likely: number, late: number | null): string {
  if (late !== null && late > likely * 1.5) return `${inWords(likely)} to ${inWords(late)} left`;
  return `about ${inWords(likely)} left`;
}

/** The place that the result will take, so that nothing jumps when it comes. */
function shapeOf({ kind, input }: Generation): string {
  const said = (input as Record<string, unknown>).aspect_ratio ?? (input as Record<string, unknown>).size;
  if (typeof said === 'string') return said.replace(/[x:]/, ' / ');
  if (kind === 'image') return '1';
  return kind === 'video' ? '16 / 9' : '4';
}
