import type { Overview } from '@/api/overview';

export type Budget = Overview['budgets'][number];

export const PERIODS: Readonly<Record<string, string>> = {
  day: 'today',
  week: 'this week',
  month: 'this month',
  total: 'in all',
  live: 'at once',
};

const WHOSE: Readonly<Record<Budget['scope'], string>> = {
  account: 'the account',
  project: 'a project',
  key: 'an API key',
  provider: 'a provider',
};

/** The budget that will be empty first: of those that count whatever is made, if there are any. */
export function tightest(budgets: readonly Budget[]): Budget | undefined {
  const general = budgets.filter((one) => one.scope === 'account');
  const counted = general.length > 0 ? general : budgets;
  return counted.toSorted((a, b) => a.remaining.nanos - b.remaining.nanos)[0];
}

/** What the amount that is left is left of. */
export function leftOf({ scope, name, provider, period }: Budget): string {
  if (scope === 'account') return `left ${PERIODS[period] ?? ''}`.trim();
  return `left of ${name ?? provider ?? WHOSE[scope]}`;
}
