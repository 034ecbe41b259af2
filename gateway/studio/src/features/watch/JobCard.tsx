import { Undo2, X } from 'lucide-react';
import { memo } from 'react';
import type { Job } from '@/live/jobs';
import { Button, IconButton } from '@/ui/Button';
import { classes } from '@/ui/classes';
import { Progress } from '@/ui/Progress';
import { cancelSoon, useUndo } from './canceling';
import { FailureCard } from './FailureCard';
import { isFailing } from './failure';
import styles from './JobCard.module.css';
import { JobFacts } from './JobFacts';
import { JobHead } from './JobHead';
import { StreamedText } from './StreamedText';
import { doing } from './stages';
import { titleOf } from './titles';
import { barOf } from './waits';

interface Props {
  job: Job;
  /** In lists, where what happens to each is not said aloud. */
  quiet?: boolean;
}

/** How far one generation is, what it waits for and costs, and its cancel button. */
export const JobCard = memo(function JobCard({ job, quiet }: Props) {
  const undo = useUndo(job.id);
  const title = titleOf(job);
  return (
    <article aria-label={title} className={classes(styles.card, undo && styles.leaving)}>
      <JobHead
        resource={job.resource}
        title={<span title={title}>{title}</span>}
        end={<End job={job} title={title} undo={undo} />}
      >
        {undo ? (
          <p className={styles.soft}>Canceled in a moment</p>
        ) : (
          <JobFacts job={job} announce={!quiet} />
        )}
      </JobHead>
      {!undo && <Progress label={`${doing(job)}: ${title}`} value={barOf(job)} />}
      {!undo && job.text && <StreamedText text={job.text} textStart={job.textStart} />}
      {isFailing(job) && !undo && <FailureCard generation={job.resource} quiet />}
    </article>
  );
});

/** It has no number yet by which it could be canceled. */
function isBeingSent(job: Job): boolean {
  return job.seq < 0;
}

function End({ job, title, undo }: { job: Job; title: string; undo: (() => void) | undefined }) {
  if (undo) {
    return (
      <Button size="sm" icon={<Undo2 />} onClick={undo}>
        Undo
      </Button>
    );
  }
  if (job.cancelRequested || isBeingSent(job)) return null;
  return (
    <IconButton
      name={`Cancel: ${title.slice(0, 80)}`}
      size="sm"
      icon={<X />}
      onClick={() => cancelSoon([job.id])}
    />
  );
}
