import { expect, it } from 'vitest';
import { nanosOf, writtenAmount } from './amount';

it('reads amounts to the last nano, and nothing else', () => {
  expect(['12', '$0.5', ' 3,20 ', '.25', '0.000000001', '0'].map(nanosOf)).toEqual([
    12_000_000_000, 500_000_000, 3_200_000_000, 250_000_000, 1, 0,
  ]);
  expect(['', '.', '$', '-1', '1e3', '1.0000000001', 'ten'].map(nanosOf)).toEqual(Array(7).fill(null));
});

it('writes what it reads', () => {
  expect([12_000_000_000, 500_000_000, 1].map(writtenAmount)).toEqual(['12.00', '0.50', '0.000000001']);
});
