import { expect, it } from 'vitest';
import { happeningsOf } from '@/api/history';
import { byDay } from './days';
import { assetFilters, countOf, historyFilters, readSearch } from './filters';
import { neighbour, rowsOf } from './rows';
import { everything, extended, NONE, toggled } from './selection';

it('reads an address, and leaves out what it cannot mean', () => {
  const read = readSearch({
    q: 2024,
    kind: 'image',
    rating: '9',
    since: 'soon',
    favorite: 'true',
    full: true,
  });
  expect(read).toEqual({ q: '2024', kind: 'image', favorite: true });
  expect(countOf(read)).toBe(1);
  expect(assetFilters({ q: 'fog', size: '1024x768', status: 'failed' })).toEqual({ q: 'fog 1024x768' });
});

it('counts whole days', () => {
  const { created_after, created_before } = historyFilters({ since: '2026-05-01', until: '2026-05-01' });
  expect(Date.parse(String(created_before)) - Date.parse(String(created_after))).toBe(86_400_000);
});

it('fills rows, and a next page moves only the last one', () => {
  const shapes = [1, 1.5, 1, 1.5, 1];
  const rows = rowsOf(shapes, 600, 200, 10);
  const first = rows[0]?.tiles ?? [];
  const right = first.at(-1);
  expect((right?.left ?? 0) + (right?.width ?? 0)).toBeCloseTo(600);
  expect(rowsOf([...shapes, 1, 1], 600, 200, 10).slice(0, 1)).toEqual(rows.slice(0, 1));
  expect(rows.at(-1)?.height).toBe(200);
});

it('goes from tile to tile as the eye does', () => {
  const rows = rowsOf([1, 1, 1, 1, 1, 1], 300, 100, 0);
  expect(rows.map((row) => row.tiles.length)).toEqual([3, 3]);
  expect(neighbour(rows, 1, 'ArrowDown')).toBe(4);
  expect(neighbour(rows, 3, 'ArrowUp')).toBe(0);
  expect(neighbour(rows, 5, 'ArrowRight')).toBe(null);
  expect(neighbour(rows, 4, 'ArrowDown')).toBe(null);
});

it('marks one, a range, everything', () => {
  const order = ['a', 'b', 'c', 'd'];
  const one = toggled(NONE, 'b');
  expect([...extended(one, 'd', order).ids]).toEqual(['b', 'c', 'd']);
  expect([...toggled(one, 'b').ids]).toEqual([]);
  expect(everything(order).ids.size).toBe(4);
});

it('groups by day and reads a stream of events', () => {
  const rows = ['2026-05-02T10:00:00', '2026-05-02T09:00:00', '2026-05-01T10:00:00'];
  const now = new Date('2026-05-02T12:00:00');
  const lines = byDay(rows, (row) => row, now);
  expect(lines.map((line) => ('day' in line ? line.day : line.row))).toEqual([
    'Today',
    rows[0],
    rows[1],
    'Yesterday',
    rows[2],
  ]);
  const stream = 'id: 1\ndata: {"seq":1,"type":"generation.queued","ts":"t","data":{"a":1}}\n\n: hm\n\n';
  expect(happeningsOf(stream)).toEqual([{ seq: 1, type: 'generation.queued', at: 't', data: { a: 1 } }]);
});
