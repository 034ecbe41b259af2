import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Generation } from '@/api/client';
import { keys } from '@/api/keys';
import { rerun } from '@/api/repeats';
import { sayProblem } from '@/ui/toasts';

/** Makes a generation again. */
export function useRerun(id: string, onMade: (made: Generation) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (seed: 'same' | 'new') => rerun(id, seed),
    onError: sayProblem,
    onSuccess: (made) => {
      client.setQueryData(keys.generation(made.id), made);
      onMade(made);
    },
  });
}
