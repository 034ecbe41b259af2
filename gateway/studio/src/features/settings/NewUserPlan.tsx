import { useMutation, useQueryClient } from '@tanstack/react-query';
import { choosePlanForNewUsers, PLANS, usePlans } from '@/api/people';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { say, sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';
import { Section } from './Section';

/** Which plan whoever signs up begins with. */
export function NewUserPlan() {
  const client = useQueryClient();
  const { data, error, refetch } = usePlans();
  const choose = useMutation({
    mutationFn: choosePlanForNewUsers,
    onSuccess: () => say('Whoever signs up from now on begins with it.', 'good'),
    onError: sayProblem,
    onSettled: () => void client.invalidateQueries({ queryKey: PLANS }),
  });
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} />;
  return (
    <Section title="Plan of new users" about="Accounts that are there keep theirs.">
      <div className={forms.narrow}>
        <Field label="Plan">
          {(wires) => (
            <Select
              {...wires}
              value={data.find((plan) => plan.for_new_users)?.name ?? ''}
              options={data.map((plan) => ({ value: plan.name, label: plan.label }))}
              disabled={choose.isPending}
              onChange={(plan) => choose.mutate(plan)}
            />
          )}
        </Field>
      </div>
    </Section>
  );
}
