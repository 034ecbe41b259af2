import { CircleAlert, CircleSlash, Coins, RotateCcw } from 'lucide-react';
import type { Generation } from '@/api/client';
import { classes } from '@/ui/classes';
import { FailureActions } from './FailureActions';
import styles from './FailureCard.module.css';
import { type Failure, failureOf, refusalOf } from './failure';
import { NextTry } from './NextTry';
import { Reference } from './Reference';

export interface Remedies {
  /** Hears of the new generation that a retry made. */
  onRetried?: (generation: Generation) => void;
  /** Submits a refused request again. */
  onRetry?: () => void;
  /** Puts the request into the form. */
  onEdit?: () => void;
}

interface Props extends Remedies {
  /** One that did not succeed, or has not yet; of one that is well nothing is shown. */
  generation?: Generation;
  /** Or what was thrown when a request was not taken. */
  problem?: unknown;
  /** In lists: said to nobody who did not come to read it. */
  quiet?: boolean;
}

/** What happened, whether it cost money, what Penstock does about it, and what its owner can do. */
export function FailureCard({ generation, problem, quiet, ...remedies }: Props) {
  const failure = generation ? failureOf(generation) : refusalOf(problem);
  if (!failure) return null;
  const Icon = { bad: CircleAlert, warn: RotateCcw, plain: CircleSlash }[failure.tone];
  return (
    <div role={quiet ? undefined : 'alert'} className={classes(styles.card, styles[failure.tone])}>
      <Icon aria-hidden="true" className={styles.icon} />
      <div className={styles.text}>
        <h3>{failure.title}</h3>
        {failure.why && <p className={styles.why}>{failure.why}</p>}
        <p className={styles.fact}>
          <Coins aria-hidden="true" />
          <span>
            <strong>{failure.money.short}.</strong>
            {failure.money.story && ` ${failure.money.story}`}
          </span>
        </p>
        <Next failure={failure} />
        <FailureActions failure={failure} generation={generation} {...remedies} />
        <Reference failure={failure} />
      </div>
    </div>
  );
}

function Next({ failure }: { failure: Failure }) {
  return (
    <p className={styles.fact}>
      <RotateCcw aria-hidden="true" />
      <span>
        {failure.next}
        {failure.nextAt && ' at'}
        {failure.nextAt && <NextTry at={failure.nextAt} />}
        {failure.nextAt && '.'}
        {failure.advice && ` ${failure.advice}`}
      </span>
    </p>
  );
}
