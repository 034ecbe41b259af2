import type { Budget } from '@/api/budgets';

export const PERIODS = [
  { value: 'month', label: 'Each month' },
  { value: 'week', label: 'Each week' },
  { value: 'day', label: 'Each day' },
  { value: 'total', label: 'In all' },
] as const;

export const USUAL_THRESHOLDS = '50, 80, 100';
const MOST_PERCENT = 1000;

/** "50, 80, 100" as numbers; null when one of them is none. */
export function thresholdsOf(written: string): number[] | null {
  const words = written.split(/[\s,;%]+/).filter(Boolean);
  const numbers = words.map(Number);
  const fine = numbers.every((one) => Number.isInteger(one) && one >= 1 && one <= MOST_PERCENT);
  return fine ? [...new Set(numbers)].sort((a, b) => a - b) : null;
}

/** What a budget is called when nobody gave it a name; `names` are those of what it is for, by id. */
export function budgetName(budget: Budget, names: ReadonlyMap<string, string>): string {
  if (budget.name) return budget.name;
  const about = {
    account: 'Everything',
    project: `Project ${names.get(budget.project_id ?? '') ?? ''}`,
    key: `API key ${names.get(budget.api_key_id ?? '') ?? ''}`,
    provider: `Provider ${budget.provider ?? ''}`,
  };
  return about[budget.scope].trim();
}

export function periodWords(period: Budget['period']): string {
  return PERIODS.find((one) => one.value === period)?.label ?? period;
}
