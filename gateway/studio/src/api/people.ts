import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';
import type { Page } from './pages';

export type Person = Schema['PersonResource'];
export type Plan = Schema['PlanResource'];

export const PEOPLE = ['people'] as const;
export const PLANS = ['plans'] as const;

export async function fetchPeople(after?: string): Promise<Page<Person>> {
  const query = after ? { after } : {};
  return taken(api.GET('/api/v1/users', { params: { query: query as never } }));
}

export function changePerson(
  id: string,
  changes: { role?: Person['role']; status?: Person['status'] },
): Promise<Person> {
  return taken(api.PATCH('/api/v1/users/{id}', { params: { path: { id } }, body: changes as never }));
}

export function usePlans() {
  return useQuery({
    queryKey: PLANS,
    queryFn: async (): Promise<Plan[]> => (await taken(api.GET('/api/v1/plans'))).data,
  });
}

export function givePlan(account: string, plan: string) {
  return taken(api.PUT('/api/v1/accounts/{id}/plan', { params: { path: { id: account } }, body: { plan } }));
}

export function choosePlanForNewUsers(plan: string) {
  return taken(api.PUT('/api/v1/plans/for-new-users', { body: { plan } }));
}
