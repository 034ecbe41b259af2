import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { Generation } from '@/api/client';
import { useReuse } from '@/features/create/reusing';
import { jobOf } from '@/live/jobs';
import { live } from '@/live/live';
import styles from './EndedJob.module.css';
import { FailureCard } from './FailureCard';
import { JobFacts } from './JobFacts';
import { JobHead } from './JobHead';
import { StreamedText } from './StreamedText';
import { titleOf } from './titles';

/** One that has ended: what came of it, or why nothing did. */
export const EndedJob = memo(function EndedJob({ generation }: { generation: Generation }) {
  const reuse = useReuse();
  const job = jobOf(generation, 0, live.snapshot().jobs.get(generation.id));
  const title = titleOf(job);
  const failed = generation.status !== 'completed';
  return (
    <article aria-label={title} className={styles.card}>
      <JobHead
        resource={generation}
        title={
          <Link to="/studio/generations/$id" params={{ id: generation.id }} title={title}>
            {title}
          </Link>
        }
      >
        <JobFacts job={job} />
      </JobHead>
      {failed && job.text && <StreamedText text={job.text} textStart={job.textStart} />}
      {failed && (
        <details open={generation.status !== 'canceled'} className={styles.more}>
          <summary>
            {generation.status === 'canceled' ? 'What it cost, and what can be done' : 'What happened'}
          </summary>
          <FailureCard generation={generation} quiet onEdit={() => reuse(generation, 'edit')} />
        </details>
      )}
    </article>
  );
});
