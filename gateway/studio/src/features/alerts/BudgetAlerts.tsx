import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { TriangleAlert } from 'lucide-react';
import { useEffect } from 'react';
import { keys } from '@/api/keys';
import { OVERVIEW, useOverview } from '@/api/overview';
import { live } from '@/live/live';
import { Button } from '@/ui/Button';
import { useAcknowledge } from './acknowledging';
import styles from './BudgetAlerts.module.css';
import { alertText } from './words';

const ALERT = 'budget.alert';

/** Above every view while a budget has told something that nobody acknowledged; it comes by itself. */
export function BudgetAlerts() {
  const client = useQueryClient();
  const alerts = useOverview().data?.alerts ?? [];
  const acknowledge = useAcknowledge();
  useEffect(
    () =>
      live.onAccountEvent((event) => {
        if (event.type !== ALERT) return;
        void client.invalidateQueries({ queryKey: OVERVIEW });
        void client.invalidateQueries({ queryKey: keys.budgets });
        void client.invalidateQueries({ queryKey: keys.projects });
      }),
    [client],
  );
  const worst = alerts.toSorted((a, b) => b.threshold_percent - a.threshold_percent)[0];
  return (
    <section aria-label="Budget alerts" aria-live="polite">
      {worst && (
        <div className={styles.banner}>
          <TriangleAlert aria-hidden="true" />
          <span className={styles.text}>
            {alertText(worst)}
            {alerts.length > 1 && `, and ${alerts.length - 1} more`}.{' '}
            <Link to="/studio/settings/$tab" params={{ tab: 'budgets' }}>
              Budgets
            </Link>
          </span>
          <Button
            size="sm"
            look="quiet"
            busy={acknowledge.isPending}
            onClick={() => acknowledge.mutate(alerts.map((one) => one.id))}
          >
            Understood
          </Button>
        </div>
      )}
    </section>
  );
}
