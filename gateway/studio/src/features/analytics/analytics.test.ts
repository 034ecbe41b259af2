import { expect, it } from 'vitest';
import { stacked } from '@/ui/charts/stacked';
import { plusDays, rangeOf, reportSearch, stepLabel, stepOf, today } from './range';
import { partsOf, totalAt } from './series';

const NOW = '2026-11-30';

it('reads an address, and passes over what is no report', () => {
  const search = { from: '2026-11-01', to: '2026-13-45', by: 'kind', step: 'second', x: 1 };
  expect(reportSearch(search)).toEqual({ from: '2026-11-01', by: 'kind' });
});

it('names the days of a report, never backwards and never too many', () => {
  expect(rangeOf({}, NOW)).toEqual({ from: '2026-11-01', to: NOW, preset: '30' });
  expect(rangeOf({ from: '2026-12-24', to: NOW }, NOW).from).toBe(NOW);
  expect(rangeOf({ from: '2001-01-01', to: NOW }, NOW)).toMatchObject({ from: '2025-11-30', preset: 'own' });
  expect(rangeOf({ to: '2026-03-01' }, NOW)).toMatchObject({ from: '2026-01-31', to: '2026-03-01' });
});

it('knows the day of a time zone', () => {
  const evening = new Date('2026-11-30T23:30:00Z');
  expect([today('UTC', evening), today('Asia/Tokyo', evening)]).toEqual([NOW, '2026-12-01']);
  expect(plusDays('2026-03-01', -1)).toBe('2026-02-28');
});

it('chooses steps that can be told apart', () => {
  const steps = [30, 90, 365].map((days) => stepOf({}, { from: plusDays(NOW, 1 - days), to: NOW }));
  expect(steps).toEqual(['day', 'week', 'month']);
  expect(stepLabel('2026-11-02', 'day')).toBe('Nov 2');
  expect(stepLabel('2026-11-01', 'month')).toBe('Nov 2026');
});

const row = (group: string, nanos: number) => ({ group, cost: { nanos } });

it('splits a whole into its parts and the rest', () => {
  const whole = [row('a', 10), row('b', 5), row('c', 0)];
  const series = partsOf(whole, [
    { name: 'one', rows: [row('b', 5)] },
    { name: 'none', rows: [row('a', 0)] },
    { name: 'two', rows: [row('a', 7)] },
  ]);
  expect(series).toEqual([
    { name: 'one', values: [0, 5, 0] },
    { name: 'two', values: [7, 0, 0] },
    { name: 'Others', values: [3, 0, 0] },
  ]);
  expect(stacked(series)).toEqual([
    [10, 5, 0],
    [7, 5, 0],
    [0, 5, 0],
  ]);
  expect(totalAt(series, 0)).toBe(10);
});
