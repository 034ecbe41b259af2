import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import type { Estimate } from '@/api/estimates';
import { printed } from '@/keyboard/chord';
import { Button } from '@/ui/Button';
import { Time } from '@/ui/Time';
import styles from './GenerateBar.module.css';
import { Left } from './Left';
import type { Obstacle } from './obstacles';
import { inWords, priceWords, waitWords } from './price';

interface Props {
  estimate: Estimate | undefined;
  /** The model's price per unit, where there is nothing to reckon with yet. */
  rate: string | null;
  /** How long the model takes, beside its rate. */
  expectedS: number | undefined;
  /** Whether it could not be asked for. */
  unpriced: boolean;
  times: number;
  obstacle: Obstacle | null;
  busy: boolean;
}

const LINK_WORDS = { profile: 'See your plan', budgets: 'See budgets', providers: 'See providers' } as const;

/** What a press costs, what is left, and the button with the reason when it cannot be pressed. */
export function GenerateBar({ estimate, rate, expectedS, unpriced, times, obstacle, busy }: Props) {
  const id = useId();
  const wait = estimate ? waitWords(estimate) : rate && expectedS && `about ${inWords(expectedS)}`;
  return (
    <div className={styles.bar}>
      <div className={styles.line}>
        <p className={styles.price} aria-live="polite">
          <b>
            {rate ?? (estimate ? priceWords(estimate, times) : unpriced ? 'Price not known' : 'Pricing …')}
          </b>
          {wait && <span>{wait}</span>}
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
          <span className={styles.keys} aria-hidden="true">
            {printed('Mod+Enter').join(' ')}
          </span>
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
