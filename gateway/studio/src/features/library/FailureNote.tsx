import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CircleAlert } from 'lucide-react';
import type { Generation } from '@/api/client';
import { retry } from '@/api/repeats';
import { live } from '@/live/live';
import { Button } from '@/ui/Button';
import { sayProblem } from '@/ui/toasts';
import styles from './FailureNote.module.css';

/** Why there is no result, whether it cost money, and what can be done now. */
export function FailureNote({ generation }: { generation: Generation }) {
  const navigate = useNavigate();
  const { error, trouble, cost } = generation;
  const repeat = useMutation({
    mutationFn: (provider?: string) => retry(generation.id, provider),
    onError: sayProblem,
    onSuccess: (made) => {
      live.learn(made);
      void navigate({ to: '/studio/generations/$id', params: { id: made.id } });
    },
  });
  return (
    <div className={styles.note}>
      <CircleAlert aria-hidden="true" />
      <div className={styles.text}>
        <h2>{error?.message ?? 'It has no result.'}</h2>
        {trouble && <p>{trouble.advice}</p>}
        <p className={styles.soft}>
          {cost.explanation} · {error?.code}
        </p>
        {trouble?.can_retry && (
          <div className={styles.buttons}>
            <Button size="sm" busy={repeat.isPending} onClick={() => repeat.mutate(undefined)}>
              Try again
            </Button>
            {trouble.other_providers.map((provider) => (
              <Button
                key={provider}
                size="sm"
                disabled={repeat.isPending}
                onClick={() => repeat.mutate(provider)}
              >
                Try {provider}
              </Button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
