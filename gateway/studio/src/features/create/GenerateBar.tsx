import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import type { Estimate } from '@/api/estimates';
import { printed } from '@/keyboard/chord';
import { Button } from '@/ui/Button';
import { Time } from '@/ui/Time';
import styles from './GenerateBar.module.css';
import { Left } from './Left';
import type { Obstacle } from './obstacles';
import { priceWords, waitWords } from './price';

interface Props {
  estimate: Estimate | undefined;
  /** Whether it could not be asked for. */
  unpriced: boolean;
  times: number;
  obstacle: Obstacle | null;
  busy: boolean;
}

const LINK_WORDS = { plan: 'See the plan', budgets: 'See budgets', providers: 'See providers' } as const;

/** What a press costs, what is left, and the button with the reason when it cannot be pressed. */
export function GenerateBar({ estimate, unpriced, times, obstacle, busy }: Props) {
  const id = useId();
  return (
    <div className={styles.bar}>
      <div className={styles.line}>
        <p className={styles.price} aria-live="polite">
          {estimate ? <b>{priceWords(estimate, times)}</b> : unpriced ? 'Price not known' : 'Pricing …'}
          {estimate && waitWords(estimate) && <span>{waitWords(estimate)}</span>}
        </p>
        <Button
          type="submit"
          look="primary"
          className={styles.button}
          busy={busy}
          disabled={obstacle !== null}
          aria-describedby={obstacle ? id : undefined}
        >
          Generate{times > 1 && ` ${times}`}
          <kbd className={styles.keys} aria-hidden="true">
            {printed('Mod+Enter').join(' ')}
          </kbd>
        </Button>
      </div>
      <div className={styles.line}>
        {obstacle ? (
          <p id={id} className={styles.obstacle}>
            {obstacle.message}{' '}
            {obstacle.resetsAt && (
              <>
                Again <Time at={obstacle.resetsAt} />.{' '}
              </>
            )}
            {obstacle.link && (
              <Link to="/studio/settings/$tab" params={{ tab: obstacle.link }}>
                {LINK_WORDS[obstacle.link]}
              </Link>
            )}
          </p>
        ) : (
          <Left left={estimate?.left ?? null} />
        )}
      </div>
    </div>
  );
}
