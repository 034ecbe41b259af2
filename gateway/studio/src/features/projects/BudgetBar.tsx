import type { Project } from '@/api/projects';
import { Badge } from '@/ui/Badge';
import { Meter } from '@/ui/Meter';
import { dollars, exactDollars } from '@/ui/money';
import styles from './BudgetBar.module.css';

const NEAR = 0.8;

/** What a project may cost, what it cost, and what is left. */
export function BudgetBar({ project }: { project: Pick<Project, 'budget' | 'spent'> }) {
  const { budget, spent } = project;
  if (budget.nanos === 0) {
    return (
      <p className={styles.line} title={exactDollars(spent.nanos)}>
        <span>{dollars(spent.nanos)} spent</span>
        <span className={styles.faint}>no budget</span>
      </p>
    );
  }
  const left = Math.max(0, budget.nanos - spent.nanos);
  const share = spent.nanos / budget.nanos;
  const words = `${dollars(spent.nanos)} of ${dollars(budget.nanos)} spent`;
  return (
    <div className={styles.bar}>
      <p className={styles.line} title={`${exactDollars(spent.nanos)} of ${exactDollars(budget.nanos)}`}>
        <span>{words}</span>
        {share >= 1 ? (
          <Badge tone="bad">Budget reached</Badge>
        ) : share >= NEAR ? (
          <Badge tone="warn">{dollars(left)} left</Badge>
        ) : (
          <span className={styles.faint}>{dollars(left)} left</span>
        )}
      </p>
      <Meter label="Budget" used={spent.nanos} limit={budget.nanos} text={words} />
    </div>
  );
}
