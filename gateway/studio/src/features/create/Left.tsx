import type { Estimate } from '@/api/estimates';
import { Money } from '@/ui/Money';
import styles from './GenerateBar.module.css';
import { PERIODS } from './tightest';

/** What is left of the plan's quota, and of the budget that will be empty first. */
export function Left({ left }: { left: Estimate['left'] }) {
  const budget = left?.budgets.toSorted((a, b) => a.remaining.nanos - b.remaining.nanos)[0];
  const quota = left?.quota;
  return (
    <p className={styles.left}>
      {quota && (
        <span>
          {quota.remaining.toLocaleString('en')} of {quota.limit.toLocaleString('en')} left{' '}
          {PERIODS[quota.period] ?? ''}
        </span>
      )}
      {budget && (
        <span>
          <Money nanos={budget.remaining.nanos} /> left of {budget.name}
        </span>
      )}
    </p>
  );
}
