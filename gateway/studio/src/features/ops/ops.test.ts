import { describe, expect, it, vi } from 'vitest';
import type { Throughput } from '@/api/ops';
import { Problem } from '@/api/problem';
import { auditQueryOf, readAuditSearch } from './auditSearch';
import { filterOf, isFiltered, readSearch } from './jobSearch';
import { fromField, toField } from './moments';
import { Refresher, reportsOf } from './parts';
import { acceptedOf, seriesOf } from './throughput';
import { POLL_MS, pace } from './watched';
import { counted, plain, span } from './words';

const THROUGHPUT: Throughput = {
  start: '2026-05-01T12:00:00Z',
  step_s: 60,
  minutes: 2,
  data: [
    { kind: 'image', accepted: [3, 1], completed: [1, 2], failed: [1, 0], canceled: [0, 0], expired: [0, 0] },
    { kind: 'text', accepted: [1, 0], completed: [1, 0], failed: [0, 0], canceled: [0, 1], expired: [0, 0] },
  ],
};

describe('throughput', () => {
  it('is split by outcome or by kind', () => {
    const outcomes = seriesOf(THROUGHPUT, 'outcome');
    expect(outcomes.map((one) => one.values)).toEqual([
      [2, 2],
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(seriesOf(THROUGHPUT, 'kind').map((one) => [one.name, one.values])).toEqual([
      ['Images', [2, 2]],
      ['Text', [1, 1]],
    ]);
    expect(acceptedOf(THROUGHPUT)).toEqual([4, 1]);
    expect(acceptedOf(THROUGHPUT, 'text')).toEqual([1, 0]);
  });
});

describe('the filters of jobs', () => {
  it('are read from whatever an address says', () => {
    expect(readSearch({ q: ' fog ', kind: '', status: 'failed', stage: 7, x: 'y', model: {} })).toEqual({
      q: 'fog',
      status: 'failed',
      stage: '7',
    });
    expect(isFiltered(readSearch({ x: 'y' }))).toBe(false);
  });

  it('reach the API as lists and instants', () => {
    expect(filterOf({ status: 'queued,running', code: 'X', from: 'nonsense' })).toEqual({
      status: ['queued', 'running'],
      code: 'X',
    });
    const from = '2026-05-01T12:30';
    expect(filterOf({ from }).created_after).toBe(new Date(from).toISOString());
  });
});

it('keeps the filters of the audit log in the address', () => {
  const from = '2026-05-01T12:30';
  const search = readAuditSearch({ action: 'queue', actor: '', from, page: 3 });
  expect(search).toEqual({ action: 'queue', from });
  expect(auditQueryOf(search)).toEqual({ action: 'queue', since: new Date(from).toISOString() });
  expect(auditQueryOf({ to: 'nonsense' })).toEqual({});
});

it('reads a field of local time back to the same minute', () => {
  const instant = new Date('2026-05-01T12:30:00Z');
  expect(fromField(toField(instant))).toBe(instant.toISOString());
  expect(fromField('')).toBeNull();
});

it('says lengths, counts and names as people do', () => {
  expect([0, 0.42, 59.6, 61, 3_660, 90_000].map(span)).toEqual([
    '0 s',
    '0.4 s',
    '1 min',
    '1 min',
    '1 h 1 min',
    '1 d 1 h',
  ]);
  expect([counted(1, 'job'), counted(1_200, 'job')]).toEqual(['1 job', '1,200 jobs']);
  expect(plain('provider_queued')).toBe('Provider queued');
});

it('asks once at a time for what has changed, and once more for what changed meanwhile', async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const refresher = new Refresher((key) => {
    asked.push(String(key[1]));
    return new Promise<void>((resolve) => answers.push(resolve));
  });
  refresher.want(reportsOf(['jobs', 'audit']));
  expect(asked).toEqual(['jobs', 'job', 'failures', 'audit']);
  refresher.want(['jobs']);
  refresher.want(['jobs']);
  expect(asked).toHaveLength(4);
  for (const answer of answers.splice(0)) answer();
  await vi.waitFor(() => expect(asked).toEqual(['jobs', 'job', 'failures', 'audit', 'jobs']));
});

it('does not ask again for what is refused, nor while it is told of changes', () => {
  expect(pace(new Problem('FORBIDDEN', 'no', 403), false)).toBe(false);
  expect(pace(new TypeError('offline'), false)).toBe(POLL_MS);
  expect(pace(null, true)).toBe(false);
  expect(pace(null, true, 2_000)).toBe(2_000);
  expect(pace(new Problem('FORBIDDEN', 'no', 403), true, 2_000)).toBe(false);
});
