import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { asProblem } from '@/api/problem';
import { Button } from './Button';
import styles from './ErrorCard.module.css';

interface Props {
  /** What was thrown; a `Problem` says most. */
  error: unknown;
  onRetry?: () => void;
  children?: ReactNode;
}

/** What went wrong, whether to try again, and the number to quote. */
export function ErrorCard({ error, onRetry, children }: Props) {
  const problem = asProblem(error);
  return (
    <div role="alert" className={styles.card}>
      <CircleAlert aria-hidden="true" />
      <div className={styles.text}>
        <p>{problem.message}</p>
        {problem.retryAfterS !== null && <p>It is worth trying again in {problem.retryAfterS} s.</p>}
        <p className={styles.small}>
          {problem.code}
          {problem.requestId && ` · ${problem.requestId}`}
        </p>
        {children}
      </div>
      {onRetry && (
        <Button size="sm" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
