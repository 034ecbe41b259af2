import { useMe } from '@/api/me';

export const WHY_NOT = 'Your role looks on. Operators and admins act.';

/** Whether whoever is here may change something; until that is known they may not. */
export function useMayAct(): boolean {
  const role = useMe().data?.role;
  return role === 'operator' || role === 'admin';
}
