import { useMutation } from '@tanstack/react-query';
import { CircleAlert, CircleSlash } from 'lucide-react';
import type { Generation } from '@/api/client';
import { retry } from '@/api/repeats';
import { live } from '@/live/live';
import { Button } from '@/ui/Button';
import { sayProblem } from '@/ui/toasts';
import styles from './Failure.module.css';
import { titleFor } from './prompts';

interface Props {
  generation: Generation;
  onMade: (made: readonly Generation[]) => void;
}

/** What did not come to a good end: why, whether it cost anything, and what can be done. */
export function Failure({ generation, onMade }: Props) {
  const { error, cost, trouble, status } = generation;
  const again = useMutation({
    mutationFn: (provider?: string) => retry(generation.id, provider),
    onError: sayProblem,
    onSuccess: (made) => {
      live.learn(made);
      onMade([made]);
    },
  });
  const canceled = status === 'canceled';
  return (
    <div className={styles.card}>
      {canceled ? <CircleSlash aria-hidden="true" /> : <CircleAlert aria-hidden="true" />}
      <div className={styles.text}>
        <h2>{canceled ? 'Cancelled' : status === 'expired' ? 'It did not start in time' : 'It failed'}</h2>
        <p className={styles.title}>{titleFor(generation)}</p>
        {error && !canceled && <p>{error.message}</p>}
        {cost.explanation && <p>{cost.explanation}</p>}
        {trouble && !canceled && <p>{trouble.advice}</p>}
        <div className={styles.ways}>
          {(trouble?.can_retry ?? true) && (
            <Button busy={again.isPending} onClick={() => again.mutate(undefined)}>
              Try again
            </Button>
          )}
          {trouble?.other_providers.map((provider) => (
            <Button key={provider} disabled={again.isPending} onClick={() => again.mutate(provider)}>
              Try {provider}
            </Button>
          ))}
        </div>
        {error && <p className={styles.code}>{error.code}</p>}
      </div>
    </div>
  );
}
