import { BellRing } from 'lucide-react';
import { ALERTS, type Budget, type BudgetAlert, fetchAlerts } from '@/api/budgets';
import { usePages } from '@/api/pages';
import { useAcknowledge } from '@/features/alerts/acknowledging';
import { alertText } from '@/features/alerts/words';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { Time } from '@/ui/Time';
import { budgetName } from './budgetWords';
import forms from './forms.module.css';
import { Section } from './Section';

interface Props {
  budgets: readonly Budget[];
  names: ReadonlyMap<string, string>;
}

/** What budgets told, newest first. */
export function AlertsSection({ budgets, names }: Props) {
  const alerts = usePages(ALERTS, fetchAlerts);
  const acknowledge = useAcknowledge();
  const nameOf = (alert: BudgetAlert) => {
    const budget = budgets.find((one) => one.id === alert.budget_id);
    return budget ? budgetName(budget, names) : 'A budget that was deleted';
  };
  return (
    <Section title="Alerts">
      {alerts.error && <ErrorCard error={alerts.error} onRetry={() => void alerts.refetch()} />}
      {alerts.isPending && <Skeleton height={64} />}
      {alerts.data && alerts.items.length === 0 && (
        <p className={forms.faint}>No budget has told anything yet.</p>
      )}
      {alerts.items.length > 0 && (
        <ul className={forms.list}>
          {alerts.items.map((alert) => (
            <li key={alert.id} className={forms.item}>
              <div className={forms.main}>
                <span className={forms.head}>
                  <strong>{nameOf(alert)}</strong>
                  {!alert.acknowledged_at && <Badge tone="warn">New</Badge>}
                </span>
                <span className={forms.faint}>
                  {alertText(alert)} · <Time at={alert.triggered_at} />
                </span>
              </div>
              {!alert.acknowledged_at && (
                <Button size="sm" icon={<BellRing />} onClick={() => acknowledge.mutate([alert.id])}>
                  Acknowledge
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {alerts.hasNextPage && (
        <div>
          <Button busy={alerts.isFetchingNextPage} onClick={() => void alerts.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}
