import { expect, it } from 'vitest';
import { size } from './bytes';
import { dollars, exactAmount, exactDollars } from './money';
import { ago, length } from './time';

it('shows small amounts in full and large ones in cents', () => {
  expect([0, 39_000_000, 1_250_000_000, 4_200, -500_000_000].map(dollars)).toEqual([
    '$0.00',
    '$0.039',
    '$1.25',
    '$0.000004',
    '-$0.50',
  ]);
  expect(dollars(1_234_567_890_000_000)).toBe('$1,234,567.89');
  expect(exactDollars(39_000_001)).toBe('$0.039000001');
  expect([39_000_000, 1_500_000_000, 2_000_000_000, 1].map(exactAmount)).toEqual([
    '$0.039',
    '$1.50',
    '$2.00',
    '$0.000000001',
  ]);
  expect(exactDollars(-1_500_000_000)).toBe('-$1.500000000');
});

it('tells sizes in thousands', () => {
  expect([0, 999, 1_410_272, 25e9].map(size)).toEqual(['0 B', '999 B', '1.4 MB', '25 GB']);
});

it('tells time as people do', () => {
  const now = Date.parse('2026-05-01T12:00:00Z');
  expect(ago('2026-05-01T11:59:30Z', now)).toBe('just now');
  expect(ago('2026-05-01T10:00:00Z', now)).toBe('2 hr. ago');
  expect([0.82, 42.4, 187, 3729].map(length)).toEqual(['0.8 s', '42 s', '3:07', '1:02:09']);
});
