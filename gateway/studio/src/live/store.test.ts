import { beforeEach, expect, it, vi } from 'vitest';
import type { Generation } from '@/api/client';
import { LiveStore } from './store';

const ID = '0192f0c1-2b3c-7d4e-8f50-617283940a1b';
let pictures: (() => void)[] = [];

beforeEach(() => {
  pictures = [];
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => pictures.push(run));
  vi.stubGlobal('cancelAnimationFrame', () => {});
});

function say(store: LiveStore, type: string, seq: number, data: Record<string, unknown> = {}): void {
  store.onMessage({ v: 1, id: ID, seq, ts: '2026-05-01T12:00:00Z', type, data });
}

it('takes frames in together, tells watchers once, and of progress only the last', () => {
  const store = new LiveStore();
  const watcher = vi.fn();
  const heard: string[] = [];
  store.subscribe(watcher);
  store.onFrame((frame, job) => heard.push(`${frame.type} ${job.progress}`));
  say(store, 'generation.submitting', 2);
  for (const progress of [0.1, 0.2, 0.3]) say(store, 'generation.progress', 2, { progress });
  expect(watcher).not.toHaveBeenCalled();
  for (const picture of pictures) picture();
  expect(watcher).toHaveBeenCalledTimes(1);
  expect(heard).toEqual(['generation.submitting null', 'generation.progress 0.3']);
});

it('learns what was asked for from an answer that frames have overtaken', () => {
  const store = new LiveStore();
  say(store, 'generation.waiting', 3);
  const behind = { id: ID, seq: 2, status: 'queued', input: { prompt: 'a lighthouse' } } as unknown;
  store.learn(behind as Generation);
  const job = store.snapshot().jobs.get(ID);
  expect(job).toMatchObject({ seq: 3, status: 'running' });
  expect(job?.resource?.input.prompt).toBe('a lighthouse');
});
