import { useNavigate } from '@tanstack/react-router';
import type { Generation } from '@/api/client';

/** Where the form of the Create view finds what another view leaves for it. */
const LEFT_FOR_FORM = 'penstock:prefill';

/** Opens the form with everything that was asked for, to be changed. */
export function useEdit(): (generation: Generation) => void {
  const navigate = useNavigate();
  return ({ kind, model, input, project_id }) => {
    sessionStorage.setItem(LEFT_FOR_FORM, JSON.stringify({ kind, model, input, project_id, only: 'all' }));
    void navigate({ to: '/studio/create/$kind', params: { kind } });
  };
}
