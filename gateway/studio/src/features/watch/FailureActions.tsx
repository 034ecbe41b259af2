import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronDown, PencilLine, RotateCcw, Settings2 } from 'lucide-react';
import type { Generation } from '@/api/client';
import { asProblem } from '@/api/problem';
import { retry } from '@/api/repeats';
import { live } from '@/live/live';
import { Button } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Menu } from '@/ui/Menu';
import type { Remedies } from './FailureCard';
import styles from './FailureCard.module.css';
import type { Failure } from './failure';

const PLAIN = classes(buttons.button, buttons.plain, buttons.sm);

interface Props extends Remedies {
  failure: Failure;
  generation?: Generation;
}

/** What its owner can do now. A retry that is refused says so here. */
export function FailureActions({ failure, generation, onRetried, onRetry, onEdit }: Props) {
  const again = useMutation({
    mutationFn: (provider?: string) => retry(generation?.id ?? '', provider),
    onSuccess: (made) => {
      live.learn(made);
      onRetried?.(made);
    },
  });
  const { providers, remedy } = failure;
  const retries = generation ? failure.canRetry && !again.isSuccess : failure.canRetry && onRetry;
  const edits = failure.canEdit && onEdit;
  if (again.isSuccess) return <p role="status">It is being tried again: see the new job.</p>;
  if (!retries && !edits && !remedy) return null;
  return (
    <div className={styles.actions}>
      {retries && (
        <Button
          size="sm"
          icon={<RotateCcw />}
          busy={again.isPending}
          onClick={() => (generation ? again.mutate(undefined) : onRetry?.())}
        >
          Try again
        </Button>
      )}
      {retries && providers.length > 0 && (
        <Menu
          name="Try another provider"
          className={PLAIN}
          button={
            <>
              Another provider
              <ChevronDown />
            </>
          }
          items={providers.map((provider) => ({
            label: provider,
            disabled: again.isPending,
            run: () => again.mutate(provider),
          }))}
        />
      )}
      {edits && (
        <Button size="sm" icon={<PencilLine />} onClick={onEdit}>
          Edit the prompt
        </Button>
      )}
      {remedy && (
        <Link to="/studio/settings/$tab" params={{ tab: remedy.tab }} className={PLAIN}>
          <Settings2 />
          {remedy.label}
        </Link>
      )}
      {again.error && (
        <p role="alert" className={styles.why}>
          {asProblem(again.error).message}
        </p>
      )}
    </div>
  );
}
