import { describe, expect, it } from 'vitest';
import { waitOf } from '@/features/watch/waits';
import type { Frame } from './frame';
import { heard, type Job, type Jobs, NO_JOBS, overall, unfinished } from './jobs';

const ID = '0192f0c1-2b3c-7d4e-8f50-617283940a1b';

function frame(type: string, seq: number, data: Frame['data'] = {}): Frame {
  return { v: 1, id: ID, seq, ts: '2026-05-01T12:00:00Z', type, data };
}

function heardAll(...frames: Frame[]): Jobs {
  return frames.reduce((jobs, one) => heard(jobs, one, 1000), NO_JOBS);
}

const RUNNING = [frame('generation.queued', 1), frame('generation.submitting', 2)];

describe('what was heard of a generation', () => {
  it('goes on with each change', () => {
    const job = heardAll(
      ...RUNNING,
      frame('generation.progress', 2, { progress: 0.4, stage: 'provider_running' }),
    ).get(ID);
    expect(job).toMatchObject({ status: 'running', seq: 2, progress: 0.4, stage: 'provider_running' });
  });

  it('is told what it waits for until something comes next', () => {
    const wait = { reason: 'cooldown', until: '2026-05-01T12:00:00Z' };
    const queued = heardAll(frame('snapshot', 1, { id: ID, seq: 1, status: 'queued', progress: null }));
    const waits = heard(queued, frame('generation.progress', 1, { waiting_for: wait }), 2000);
    expect(waits.get(ID)).toMatchObject({
      status: 'queued',
      progress: null,
      resource: { waiting_for: wait },
    });
    expect(waitOf(waits.get(ID) as Job)?.until).toBe(wait.until);
    const goesOn = heard(waits, frame('generation.submitting', 2, { status: 'running' }), 3000);
    expect(waitOf(goesOn.get(ID) as Job)).toBeNull();
  });

  it('ends for good: later progress and older changes do nothing', () => {
    const ended = heardAll(...RUNNING, frame('generation.canceled', 3));
    expect(heard(ended, frame('generation.progress', 3, { progress: 0.9 }), 2000)).toBe(ended);
    expect(heard(ended, frame('generation.progress', 2, { progress: 0.9 }), 2000)).toBe(ended);
    expect(heard(ended, frame('generation.waiting', 2), 2000)).toBe(ended);
    expect(heard(ended, frame('snapshot', 2, { id: ID, seq: 2, status: 'running' }), 2000)).toBe(ended);
    expect(ended.get(ID)?.status).toBe('canceled');
  });

  it('keeps its end when its bill is settled', () => {
    const job = heardAll(...RUNNING, frame('generation.completed', 3), frame('generation.settled', 4)).get(
      ID,
    );
    expect(job).toMatchObject({ status: 'completed', seq: 4 });
  });

  it('never goes backwards, but starts over when it is tried again', () => {
    const far = heardAll(...RUNNING, frame('generation.progress', 2, { progress: 0.8 }));
    expect(heard(far, frame('generation.progress', 2, { progress: 0.3 }), 2000).get(ID)?.progress).toBe(0.8);
    expect(heard(far, frame('generation.retrying', 3), 2000).get(ID)).toMatchObject({
      status: 'queued',
      progress: null,
    });
  });

  it('takes a snapshot after a reset, though its position is lower', () => {
    const jobs = heardAll(...RUNNING);
    const reset: Frame = {
      ...frame('snapshot', 1, { id: ID, seq: 1, status: 'queued', progress: null }),
      reset: true,
    };
    expect(heard(jobs, reset, 2000).get(ID)).toMatchObject({ seq: 1, status: 'queued' });
  });

  it('joins text by code points, twice heard or not', () => {
    const first = frame('generation.delta', 2, { offset: 0, text: 'sea 🌊' });
    const second = frame('generation.delta', 2, { offset: 4, text: '🌊 and sky' });
    expect(heardAll(...RUNNING, first, first, second).get(ID)?.text).toBe('sea 🌊 and sky');
  });
});

it('joins a text in the middle, and puts its beginning before it when that comes', () => {
  const middle = frame('generation.delta', 2, { offset: 7, text: 'dark ' });
  const late = heardAll(...RUNNING, middle);
  expect(late.get(ID)).toMatchObject({ text: 'dark ', textStart: 7 });
  const whole = heard(late, frame('generation.delta', 2, { offset: 0, text: 'It was dark and' }), 2000);
  expect(whole.get(ID)).toMatchObject({ text: 'It was dark and', textStart: 0 });
  const hole = heard(whole, frame('generation.delta', 2, { offset: 30, text: 'stormy' }), 2000);
  expect(hole.get(ID)).toMatchObject({ text: 'stormy', textStart: 30 });
});

it('has, after a reload, what was shown of a text that was canceled', () => {
  const error = { code: 'CANCELED', message: '', retryable: false, details: { text: 'Once upon' } };
  const canceled = { id: ID, seq: 3, status: 'canceled', error };
  expect(heardAll(frame('snapshot', 3, canceled)).get(ID)?.text).toBe('Once upon');
  const heardMore = heardAll(
    ...RUNNING,
    frame('generation.delta', 2, { offset: 0, text: 'Once upon a time' }),
  );
  expect(heard(heardMore, frame('snapshot', 3, canceled), 2000).get(ID)?.text).toBe('Once upon a time');
});

it('stands still while its provider is asked to stop', () => {
  const asked = heardAll(...RUNNING, frame('generation.updated', 3, { cancel_requested: true }));
  expect(asked.get(ID)).toMatchObject({ status: 'running', cancelRequested: true });
  expect(heard(asked, frame('generation.progress', 3, { progress: 0.9 }), 2000)).toBe(asked);
});

it('tells how far everything is together', () => {
  const jobs = heardAll(...RUNNING, frame('generation.progress', 2, { progress: 0.5 }));
  expect(overall(unfinished(jobs))).toBe(0.5);
  expect(unfinished(heardAll(...RUNNING, frame('generation.failed', 3)))).toEqual([]);
});
