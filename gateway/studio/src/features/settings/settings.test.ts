import { expect, it } from 'vitest';
import { thresholdsOf } from './budgetWords';
import { device } from './device';
import { BLANK, requestOf, stateOf } from './keyWords';
import { moved } from './order';
import { rulesOf } from './retentionRules';

it('reads thresholds, and refuses what is none', () => {
  expect(['100, 50 50', '', '80%'].map(thresholdsOf)).toEqual([[50, 100], [], [80]]);
  expect(['0', '1001', '1.5', 'all'].map(thresholdsOf)).toEqual([null, null, null, null]);
});

it('names devices as people do', () => {
  const agents = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Safari/604.1',
    'curl/8.5.0',
    null,
  ];
  expect(agents.map(device)).toEqual(['Firefox on Linux', 'Safari on iOS', 'curl/8.5.0', 'Unknown device']);
});

it('asks for the key that the form describes', () => {
  const words = { ...BLANK, name: ' ci ', kinds: ['image'], budget: '2.50', expires: '2027-01-31' };
  expect(requestOf(words)).toEqual({
    name: 'ci',
    scopes: ['write'],
    kinds: ['image'],
    project_id: null,
    budget_nanos: 2_500_000_000,
    budget_period: 'total',
    expires_at: '2027-01-31T23:59:59Z',
  });
  expect(requestOf({ ...words, budget: 'much' })).toBeNull();
});

it('knows whether a key works', () => {
  const key = { revoked_at: null, expires_at: null } as Parameters<typeof stateOf>[0];
  const at = (text: string) => Date.parse(text);
  expect(stateOf(key, 0)).toBe('works');
  expect(stateOf({ ...key, expires_at: '2026-01-01T00:00:00Z' }, at('2026-01-02'))).toBe('expired');
  const revoked = { ...key, revoked_at: '2026-01-02T00:00:00Z' };
  expect([stateOf(revoked, at('2026-01-01')), stateOf(revoked, at('2026-01-03'))]).toEqual([
    'ends',
    'revoked',
  ]);
});

it('moves one of a list', () => {
  expect([moved(['a', 'b', 'c'], 0, 2), moved(['a', 'b', 'c'], 2, 0), moved(['a'], 0, 5)]).toEqual([
    ['b', 'c', 'a'],
    ['c', 'a', 'b'],
    ['a'],
  ]);
});

it('takes rules whose days are days', () => {
  expect(rulesOf([{ key: 0, type: 'image', days: '30' }])).toEqual([{ older_than_days: 30, type: 'image' }]);
  expect(rulesOf([{ key: 0, type: '', days: '0' }])).toBeNull();
});
