import { memo } from 'react';
import type { Cost } from '@/api/client';
import { useProjectChoices } from '@/api/projects';
import { isOver, type Job } from '@/live/jobs';
import { useTick } from '@/ui/clock';
import { Money } from '@/ui/Money';
import { Time } from '@/ui/Time';
import { etaWords } from './eta';
import styles from './JobFacts.module.css';
import { NextTry } from './NextTry';
import { doing } from './stages';
import { waitOf } from './waits';

interface Props {
  job: Job;
  announce?: boolean;
}

const FACTS: readonly (keyof Job)[] = [
  'seq',
  'resource',
  'status',
  'stage',
  'queuePosition',
  'providerQueuePosition',
  'etaAt',
  'cancelRequested',
];

/** In one line: what happens, how long it takes, why it waits, what it costs, whose project it is. */
export const JobFacts = memo(function JobFacts({ job, announce }: Props) {
  const { resource } = job;
  const over = isOver(job);
  return (
    <p className={styles.facts}>
      <span className={styles.stage} aria-live={announce ? 'polite' : undefined}>
        {doing(job)}
      </span>
      {!over && <Why job={job} />}
      {!over && !job.cancelRequested && <Eta job={job} />}
      {over && resource?.completed_at && <Time at={resource.completed_at} />}
      {resource && <Price cost={resource.cost} />}
      {resource?.project_id && <ProjectName id={resource.project_id} />}
    </p>
  );
}, sameFacts);

/** A percentage that grows changes none of them. */
function sameFacts({ job: a, announce }: Props, { job: b, announce: then }: Props): boolean {
  return announce === then && FACTS.every((name) => a[name] === b[name]);
}

function Why({ job }: { job: Job }) {
  const wait = waitOf(job);
  if (!wait) return null;
  return (
    <span>
      {wait.words}
      {wait.until && <NextTry at={wait.until} />}
    </span>
  );
}

function Eta({ job }: { job: Job }) {
  const words = etaWords(job, useTick());
  return words && <span className={styles.number}>{words}</span>;
}

/** Before the end what is set aside for it, then what it cost. */
function Price({ cost }: { cost: Cost }) {
  const settled = cost.status === 'final' || cost.status === 'released';
  if (settled) {
    return (
      <span title={cost.explanation}>
        <Money nanos={cost.actual?.nanos ?? 0} />
      </span>
    );
  }
  if (cost.estimated === null) return <span title={cost.explanation}>price not known yet</span>;
  if (cost.estimated.nanos === 0) return <span title={cost.explanation}>free</span>;
  return (
    <span title={cost.explanation}>
      about <Money nanos={cost.estimated.nanos} /> reserved
    </span>
  );
}

function ProjectName({ id }: { id: string }) {
  const { data, isPending } = useProjectChoices();
  const name = data?.find((project) => project.id === id)?.name;
  if (!name && !isPending) return null;
  return <span className={styles.project}>{name ?? '…'}</span>;
}
