import type { Budget } from '@/api/budgets';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Meter } from '@/ui/Meter';
import { dollars } from '@/ui/money';
import { Time } from '@/ui/Time';
import styles from './BudgetRow.module.css';
import { periodWords } from './budgetWords';
import forms from './forms.module.css';

interface Props {
  budget: Budget;
  name: string;
  onChange: () => void;
  onDelete: () => void;
}

const ELSEWHERE = {
  project: 'Set on the project',
  key: 'Set on the key',
  provider: 'Set as a monthly cap of the provider',
};

/** How much of one budget is used. Those that are set elsewhere are changed there. */
export function BudgetRow({ budget, name, onChange, onDelete }: Props) {
  const { spent, reserved, limit, remaining } = budget;
  const used = spent.nanos + reserved.nanos;
  const words = `${dollars(used)} of ${dollars(limit.nanos)}`;
  return (
    <li className={styles.item}>
      <div className={forms.main}>
        <span className={forms.head}>
          <strong>{name}</strong>
          <Badge>{periodWords(budget.period)}</Badge>
          {budget.mode === 'soft' && <Badge>Only tells</Badge>}
          {used >= limit.nanos && <Badge tone="bad">Reached</Badge>}
        </span>
        <Meter label={name} used={used} limit={limit.nanos} text={words} marks={budget.thresholds} />
        <span className={forms.faint}>
          {words}
          {reserved.nanos > 0 && `, ${dollars(reserved.nanos)} of it for what runs`} ·{' '}
          {dollars(Math.max(0, remaining.nanos))} left
          {budget.resets_at && (
            <>
              {' '}
              · begins again <Time at={budget.resets_at} />
            </>
          )}
        </span>
      </div>
      {budget.origin ? (
        <span className={forms.faint}>{ELSEWHERE[budget.origin]}</span>
      ) : (
        <div className={forms.row}>
          <Button size="sm" onClick={onChange}>
            Change
          </Button>
          <Button size="sm" onClick={onDelete}>
            Delete
          </Button>
        </div>
      )}
    </li>
  );
}
