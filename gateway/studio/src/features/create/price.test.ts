import { expect, it } from 'vitest';
import { priceWords, waitWords } from './price';

function at(...amounts: (number | null)[]) {
  const candidates = amounts.map((nanos) => ({
    provider: 'p',
    model: 'm',
    card: 'c',
    price_id: null,
    estimated: nanos === null ? null : { nanos, amount: '' },
    expected_s: 8,
    billed_to: 'platform' as const,
  }));
  return { candidates, estimated: candidates[0]?.estimated ?? null };
}

it('tells one price, a range, nothing to pay, and what nobody knows apart', () => {
  expect(priceWords(at(39_000_000))).toBe('about $0.039');
  expect(priceWords(at(40_000_000, 60_000_000), 2)).toBe('$0.08 to $0.12');
  expect(priceWords(at(0))).toBe('Free');
  expect(priceWords(at(null))).toBe('Price not known');
  expect(priceWords(at())).toBe('Price not known');
});

it('tells how long it takes', () => {
  expect(waitWords(at(1))).toBe('about 8 s');
  expect(waitWords(at())).toBeNull();
});
