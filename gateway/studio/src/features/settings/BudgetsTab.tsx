import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Gauge, Plus } from 'lucide-react';
import { useState } from 'react';
import { useApiKeys } from '@/api/apiKeys';
import { type Budget, deleteBudget, useBudgets } from '@/api/budgets';
import { keys } from '@/api/keys';
import { OVERVIEW } from '@/api/overview';
import { useProjectChoices } from '@/api/projects';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { say, sayProblem } from '@/ui/toasts';
import { AlertsSection } from './AlertsSection';
import { BudgetDialog } from './BudgetDialog';
import { BudgetRow } from './BudgetRow';
import { budgetName } from './budgetWords';
import forms from './forms.module.css';
import { Section } from './Section';

export default function BudgetsTab() {
  const client = useQueryClient();
  const { data, error, refetch } = useBudgets();
  const names = useNames();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<Budget | null>(null);
  const [deleting, setDeleting] = useState<Budget | null>(null);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: keys.budgets });
    void client.invalidateQueries({ queryKey: OVERVIEW });
  };
  const remove = useMutation({
    mutationFn: (budget: Budget) => deleteBudget(budget.id),
    onSuccess: (_, budget) => say(`“${budgetName(budget, names)}” is deleted.`),
    onError: sayProblem,
    onSettled: () => {
      setDeleting(null);
      refresh();
    },
  });
  const done = () => {
    setMaking(false);
    setChanging(null);
    refresh();
  };
  return (
    <>
      <Section
        title="Budgets"
        about="Several may hold for one request. What is running counts with what it may cost at most."
        actions={
          <Button size="sm" look="primary" icon={<Plus />} onClick={() => setMaking(true)}>
            New budget
          </Button>
        }
      >
        {error && <ErrorCard error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Skeleton height={200} />}
        {data?.length === 0 && (
          <EmptyState small icon={<Gauge />} title="No budgets yet">
            A budget keeps what is spent within a limit, and tells before it is reached.
          </EmptyState>
        )}
        {data && data.length > 0 && (
          <ul className={forms.list}>
            {data.map((budget) => (
              <BudgetRow
                key={budget.id}
                budget={budget}
                name={budgetName(budget, names)}
                onChange={() => setChanging(budget)}
                onDelete={() => setDeleting(budget)}
              />
            ))}
          </ul>
        )}
      </Section>
      <AlertsSection budgets={data ?? []} names={names} />
      <BudgetDialog open={making} onDone={done} onClose={() => setMaking(false)} />
      <BudgetDialog
        open={changing !== null}
        budget={changing ?? undefined}
        onDone={done}
        onClose={() => setChanging(null)}
      />
      <Confirm
        open={deleting !== null}
        title={`Delete “${deleting ? budgetName(deleting, names) : ''}”?`}
        action="Delete the budget"
        busy={remove.isPending}
        onConfirm={() => deleting && remove.mutate(deleting)}
        onClose={() => setDeleting(null)}
      >
        Nothing keeps this limit any more. What it told before stays in the list of alerts.
      </Confirm>
    </>
  );
}

/** What budgets can be for, by id. */
function useNames(): ReadonlyMap<string, string> {
  const projects = useProjectChoices().data ?? [];
  const apiKeys = useApiKeys().data ?? [];
  return new Map([...projects, ...apiKeys].map((one) => [one.id, one.name]));
}
