import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';
import { keys } from './keys';
import type { Page } from './pages';

export type Budget = Schema['BudgetResource'];
export type BudgetAlert = Schema['BudgetAlertResource'];
export type BudgetRequest = Partial<Schema['BudgetRequest']>;
export type BudgetChanges = Partial<Schema['BudgetChanges']>;

export const ALERTS = [...keys.budgets, 'alerts'] as const;

export function useBudgets() {
  return useQuery({
    queryKey: [...keys.budgets, 'list'],
    queryFn: async (): Promise<Budget[]> => (await taken(api.GET('/api/v1/budgets'))).data,
  });
}

export function createBudget(request: BudgetRequest): Promise<Budget> {
  return taken(api.POST('/api/v1/budgets', { body: request as never }));
}

export function changeBudget(id: string, changes: BudgetChanges): Promise<Budget> {
  return taken(api.PATCH('/api/v1/budgets/{id}', { params: { path: { id } }, body: changes as never }));
}

export function deleteBudget(id: string) {
  return taken(api.DELETE('/api/v1/budgets/{id}', { params: { path: { id } } }));
}

export async function fetchAlerts(after?: string): Promise<Page<BudgetAlert>> {
  const query = after ? { after } : {};
  return taken(api.GET('/api/v1/budgets/alerts', { params: { query: query as never } }));
}

export function acknowledge(id: string): Promise<BudgetAlert> {
  return taken(api.POST('/api/v1/budgets/alerts/{id}/acknowledge', { params: { path: { id } } }));
}
