import { Link } from '@tanstack/react-router';
import { useOverview } from '@/api/overview';
import { useProjectChoices } from '@/api/projects';
import { Money } from '@/ui/Money';
import styles from './BudgetHint.module.css';
import { type Budget, leftOf, tightest } from './tightest';

/** What is left of the budget that will be empty first, and whose it is; nothing where there is none. */
export function BudgetHint() {
  const { data } = useOverview();
  const first = data && tightest(data.budgets);
  if (!first) return null;
  const limit = first.limit.nanos;
  const used = limit > 0 ? Math.min(1, Math.max(0, 1 - first.remaining.nanos / limit)) : 1;
  const tight = first.remaining.nanos <= 0 ? styles.empty : used >= 0.8 ? styles.low : styles.fine;
  return (
    <Link
      to="/studio/settings/$tab"
      params={{ tab: 'budgets' }}
      className={styles.hint}
      title={`${Math.round(used * 100)} % of the ${first.name ?? first.scope} budget is used`}
    >
      <span className={styles.words}>
        <Money nanos={Math.max(0, first.remaining.nanos)} />{' '}
        {first.scope === 'project' ? <OfProject budget={first} /> : <Words of={first} />}
      </span>
      <span className={styles.track} aria-hidden="true">
        <span className={tight} style={{ width: `${used * 100}%` }} />
      </span>
    </Link>
  );
}

function OfProject({ budget }: { budget: Budget }) {
  const project = useProjectChoices().data?.find((one) => one.id === budget.project_id);
  return <Words of={{ ...budget, name: budget.name ?? project?.name ?? null }} />;
}

/** Where there is little room, what it is left of is heard only. */
function Words({ of }: { of: Budget }) {
  const [left, ...rest] = leftOf(of).split(' ');
  return (
    <>
      {left}
      <span className={styles.rest}> {rest.join(' ')}</span>
    </>
  );
}
