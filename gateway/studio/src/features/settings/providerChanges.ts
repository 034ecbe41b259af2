import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '@/api/keys';
import {
  changeProviderSettings,
  type ProviderSettings,
  providerKeys,
  type SettingsChanges,
} from '@/api/providers';
import { sayProblem } from '@/ui/toasts';

/** Changes the settings: shown at once, and taken back when they are refused. */
export function useProviderChanges() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ changes }: { changes: SettingsChanges; shown: ProviderSettings }) =>
      changeProviderSettings(changes),
    onMutate: async ({ shown }) => {
      await client.cancelQueries({ queryKey: providerKeys.settings });
      const before = client.getQueryData<ProviderSettings>(providerKeys.settings);
      client.setQueryData(providerKeys.settings, shown);
      return before;
    },
    onError: (error, _, before) => {
      client.setQueryData(providerKeys.settings, before);
      sayProblem(error);
    },
    onSuccess: (settings) => {
      client.setQueryData(providerKeys.settings, settings);
      void client.invalidateQueries({ queryKey: providerKeys.health });
      void client.invalidateQueries({ queryKey: keys.models() });
      void client.invalidateQueries({ queryKey: keys.budgets });
    },
  });
}
