import { expect, it } from 'vitest';
import { leftOf, tightest } from './tightest';

type Budget = Parameters<typeof leftOf>[0];

function budget(scope: Budget['scope'], nanos: number, more: Partial<Budget> = {}): Budget {
  return { scope, remaining: { nanos, amount: '' }, period: 'month', name: null, ...more } as Budget;
}

it('goes by the account, for a project’s budget says nothing of what is made elsewhere', () => {
  const own = budget('account', 5);
  expect(tightest([budget('project', 1), budget('account', 9), own])).toBe(own);
  expect(tightest([])).toBeUndefined();
});

it('says whose it is when there are others only', () => {
  const project = budget('project', 1, { name: 'Spring campaign' });
  expect(tightest([budget('key', 2), project])).toBe(project);
  expect(leftOf(project)).toBe('left of Spring campaign');
  expect(leftOf(budget('key', 2))).toBe('left of an API key');
  expect(leftOf(budget('provider', 2, { provider: 'fal' }))).toBe('left of fal');
  expect(leftOf(budget('account', 2, { name: 'Marketing' }))).toBe('left this month');
});
