import { Undo2 } from 'lucide-react';
import type { Generation } from '@/api/client';
import { cancelSoon, useUndo } from '@/features/watch/canceling';
import { FailureCard } from '@/features/watch/FailureCard';
import { isFailing } from '@/features/watch/failure';
import { JobFacts } from '@/features/watch/JobFacts';
import { useFreshEtas } from '@/features/watch/useFreshEtas';
import { barOf } from '@/features/watch/waits';
import { type Job, jobOf } from '@/live/jobs';
import { Button } from '@/ui/Button';
import { Progress } from '@/ui/Progress';
import styles from './Making.module.css';
import { titleFor } from './prompts';

/** What is being made: how far it is, what it waits for, when it will be there, and how to stop it. */
export function Making({ generation, job }: { generation: Generation; job: Job | undefined }) {
  const now = job ?? jobOf(generation, Date.now());
  const undo = useUndo(now.id);
  const fails = isFailing(now);
  useFreshEtas(now.status === 'queued');
  return (
    <div className={styles.making}>
      {now.text ? (
        <div className={styles.text} aria-live="off">
          {now.text}
          <span className={styles.caret} aria-hidden="true" />
        </div>
      ) : (
        <div className={styles.stage} style={fails ? undefined : { aspectRatio: shapeOf(generation) }}>
          <p className={styles.title}>{titleFor(generation)}</p>
        </div>
      )}
      {fails && !undo && <FailureCard generation={now.resource} quiet />}
      <div className={styles.foot}>
        <Progress label={titleFor(generation)} value={undo ? (now.progress ?? 0) : barOf(now)} />
        <div className={styles.line}>
          <div className={styles.facts}>
            {undo ? <p role="status">Canceled in a moment</p> : <JobFacts job={now} announce />}
            <By generation={generation} progress={now.progress} />
          </div>
          {(undo || !now.cancelRequested) && (
            <Button size="sm" icon={undo && <Undo2 />} onClick={undo ?? (() => cancelSoon([now.id]))}>
              {undo ? 'Undo' : 'Cancel'}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

/** How far it is, and who makes it. */
function By({ generation: { resolved }, progress }: { generation: Generation; progress: number | null }) {
  const percent = progress !== null && `${Math.floor(progress * 100)} %`;
  const maker = resolved && `${resolved.model} · ${resolved.provider}`;
  return <p>{[percent, maker].filter(Boolean).join(' · ')}</p>;
}

/** The place that the result will take, so that nothing jumps when it comes. */
function shapeOf({ kind, input }: Generation): string {
  const said = (input as Record<string, unknown>).aspect_ratio ?? (input as Record<string, unknown>).size;
  if (typeof said === 'string') return said.replace(/[x:]/, ' / ');
  if (kind === 'image') return '1';
  return kind === 'video' ? '16 / 9' : '4';
}
