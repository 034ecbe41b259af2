import { describe, expect, it } from 'vitest';
import type { Generation } from '@/api/client';
import { Problem } from '@/api/problem';
import { failureOf, moneyOf, refusalOf } from './failure';

const COST: Generation['cost'] = {
  status: 'final',
  estimated: { nanos: 40_000_000, amount: '0.040000000' },
  actual: { nanos: 0, amount: '0.000000000' },
  currency: 'USD',
  price_id: null,
  billed_to: 'platform',
  explanation: 'Failed after 3.2 s at replicate, which bills nothing for that: nothing was charged.',
};

function generation(change: Partial<Generation>): Generation {
  return { id: 'a', status: 'failed', cost: COST, error: null, trouble: null, ...change } as Generation;
}

describe('the failure of a generation', () => {
  it('names the reason, the money, and who else could do it', () => {
    const failure = failureOf(
      generation({
        error: { code: 'PROVIDER_FAILED', message: 'CUDA out of memory', retryable: true, details: null },
        trouble: {
          will_retry: false,
          next_try_at: null,
          last_error: null,
          can_retry: true,
          other_providers: ['fal'],
          advice: 'Try again, or let fal do it.',
        },
      }),
    );
    expect(failure).toMatchObject({
      title: 'The provider failed',
      why: 'CUDA out of memory',
      money: { short: 'Nothing was charged', story: null },
      canRetry: true,
      providers: ['fal'],
      reference: 'a',
    });
  });

  it('is a passing one while it will be tried again, and none when all is well', () => {
    const trouble: Generation['trouble'] = {
      will_retry: true,
      next_try_at: '2026-05-01T12:00:00Z',
      last_error: { code: 'PROVIDER_RATE_LIMITED', message: 'Slow down', retryable: true, details: null },
      can_retry: false,
      other_providers: [],
      advice: 'Nothing has to be done.',
    };
    expect(failureOf(generation({ status: 'queued', trouble }))).toMatchObject({
      tone: 'warn',
      nextAt: '2026-05-01T12:00:00Z',
      canRetry: false,
    });
    expect(failureOf(generation({ status: 'running' }))).toBeNull();
    expect(failureOf(generation({ status: 'completed' }))).toBeNull();
  });

  it('can be told of a resource that has no trouble to tell', () => {
    const old = generation({ status: 'expired' });
    delete (old as Partial<Generation>).trouble;
    expect(failureOf(old)).toMatchObject({ canRetry: true, providers: [] });
  });
});

it('tells exactly what was charged, or that nobody knows yet', () => {
  const charged = { ...COST, actual: { nanos: 39_000_000, amount: '0.039000000' } };
  expect(moneyOf(charged).short).toBe('$0.039 was charged');
  expect(moneyOf({ ...charged, status: 'reconciling' }).short).toBe('Still being settled');
  expect(moneyOf({ ...charged, status: 'reserved' }).short).toBe('Not charged yet');
});

it('says of a refusal when it is worth trying again', () => {
  const details = { resets_at: '2026-06-01T00:00:00Z' };
  const refused = new Problem('BUDGET_EXCEEDED', '$0.01 is left.', 402, 'r1', null, false, null, details);
  expect(refusalOf(refused)).toMatchObject({
    title: 'The budget does not cover this',
    nextAt: '2026-06-01T00:00:00Z',
    remedy: { tab: 'budgets' },
    reference: 'r1',
  });
  expect(refusalOf(new TypeError('Failed to fetch')).money.short).toMatch('No answer came');
});
