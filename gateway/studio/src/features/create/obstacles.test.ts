import { expect, it } from 'vitest';
import { obstacleOf } from './obstacles';

const free = { offline: false, transfers: [], estimate: undefined, missing: [], hasModel: true };

it('lets go what nothing stands against, and names the first thing that does', () => {
  expect(obstacleOf(free)).toBeNull();
  expect(obstacleOf({ ...free, missing: ['Write the prompt first.'] })?.message).toBe(
    'Write the prompt first.',
  );
  expect(obstacleOf({ ...free, missing: ['Prompt'], offline: true })?.message).toContain('no connection');
});

it('tells when a budget begins anew, and where it is set', () => {
  const refusal = {
    error: 'BUDGET_EXCEEDED',
    message: 'The monthly budget is spent.',
    details: { resets_at: '2026-12-01T00:00:00Z' },
  };
  const estimate = { refusal, problems: [] } as never;
  expect(obstacleOf({ ...free, estimate })).toEqual({
    message: 'The monthly budget is spent.',
    resetsAt: '2026-12-01T00:00:00Z',
    link: 'budgets',
  });
});
