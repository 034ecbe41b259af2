import { useMutation, useQueryClient } from '@tanstack/react-query';
import { acknowledge } from '@/api/budgets';
import { keys } from '@/api/keys';
import { OVERVIEW, type Overview } from '@/api/overview';
import { sayProblem } from '@/ui/toasts';

/** Takes alerts off the shell at once; they stay in the list of the settings. */
export function useAcknowledge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (ids: readonly string[]) => Promise.all(ids.map(acknowledge)),
    onMutate: (ids) => {
      client.setQueryData<Overview>(
        OVERVIEW,
        (known) => known && { ...known, alerts: known.alerts.filter((one) => !ids.includes(one.id)) },
      );
    },
    onError: sayProblem,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: OVERVIEW });
      void client.invalidateQueries({ queryKey: keys.budgets });
    },
  });
}
