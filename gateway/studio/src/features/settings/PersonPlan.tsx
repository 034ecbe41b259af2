import { useMutation, useQueryClient } from '@tanstack/react-query';
import { givePlan, PEOPLE, type Person, usePlans } from '@/api/people';
import { Select } from '@/ui/Select';
import { say, sayProblem } from '@/ui/toasts';

/** What one person may do and how much of it, at once and whatever others have. */
export function PersonPlan({ person }: { person: Person }) {
  const client = useQueryClient();
  const { data = [] } = usePlans();
  const give = useMutation({
    mutationFn: (plan: string) => givePlan(person.id, plan),
    onSuccess: ({ plan }) => say(`${person.email} has ${labelOf(plan)} now.`, 'good'),
    onError: sayProblem,
    onSettled: () => void client.invalidateQueries({ queryKey: PEOPLE }),
  });
  const labelOf = (name: string) => data.find((plan) => plan.name === name)?.label ?? name;
  return (
    <Select
      aria-label={`Plan of ${person.email}`}
      value={give.variables && give.isPending ? give.variables : person.plan}
      options={
        data.length > 0
          ? data.map((plan) => ({ value: plan.name, label: plan.label }))
          : [{ value: person.plan, label: person.plan }]
      }
      disabled={give.isPending || data.length === 0}
      style={{ width: 128 }}
      onChange={(plan) => give.mutate(plan)}
    />
  );
}
