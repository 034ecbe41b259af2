import { expect, it } from 'vitest';
import { safeNext } from './next';

it('goes on to places of the studio only', () => {
  expect(['/studio/projects?archived=true', '/ops/queues', '/studio'].map(safeNext)).toEqual([
    '/studio/projects?archived=true',
    '/ops/queues',
    '/studio',
  ]);
  const elsewhere = [undefined, '', 'https://evil.example', '//evil.example/studio', '/studioevil', '/docs'];
  expect(elsewhere.map(safeNext)).toEqual(elsewhere.map(() => '/studio'));
  expect(safeNext('/studio/login?next=/studio')).toBe('/studio');
});
