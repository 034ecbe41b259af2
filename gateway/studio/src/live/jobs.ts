import type { Generation } from '@/api/client';
import { ENDED } from '@/api/generations';
import { DELTA, type Frame, PROGRESS, SNAPSHOT, statusAfter } from './frame';

/** A generation as the live connection knows it. */
export interface Job {
  id: string;
  seq: number;
  status: Generation['status'];
  stage: string | null;
  /** 0 to 1; null is unknown. */
  progress: number | null;
  queuePosition: number | null;
  providerQueuePosition: number | null;
  /** Seconds that are left as of `heardAt`. */
  etaSeconds: number | null;
  /** What has come so far of a text. */
  text: string;
  /** The last whole resource that was sent. */
  resource: Generation | null;
  /** When the last frame came, in this page's milliseconds. */
  heardAt: number;
}

export type Jobs = ReadonlyMap<string, Job>;

export const NO_JOBS: Jobs = new Map();

/**
 * The jobs after a frame; the same map when the frame says nothing new. Frames may come twice, late, or out of
 * order: an older one changes nothing, and after an end there is no more progress.
 */
export function heard(jobs: Jobs, frame: Frame, now: number): Jobs {
  const known = jobs.get(frame.id);
  const next = step(known, frame, now);
  if (next === null || next === known) return jobs;
  return new Map(jobs).set(frame.id, next);
}

function step(known: Job | undefined, frame: Frame, now: number): Job | null {
  if (frame.type === SNAPSHOT) return shown(known, frame, now);
  if (frame.type === PROGRESS || frame.type === DELTA) return advanced(known, frame, now);
  if (known && frame.seq <= known.seq) return null;
  return changed(known ?? fresh(frame, now), frame, now);
}

function shown(known: Job | undefined, frame: Frame, now: number): Job | null {
  if (known && frame.seq < known.seq && !frame.reset) return null;
  const resource = frame.data as unknown as Generation;
  if (known && known.seq === frame.seq && isOver(known) && !ENDED.has(resource.status)) return null;
  return jobOf(resource, now, known?.text);
}

/** Percentages and text carry the current position; they are worth nothing once something came after it. */
function advanced(known: Job | undefined, frame: Frame, now: number): Job | null {
  if (known && (isOver(known) || frame.seq < known.seq)) return null;
  const job = known ?? { ...fresh(frame, now), status: 'running' as const };
  const running = { ...job, seq: Math.max(job.seq, frame.seq), heardAt: now };
  if (frame.type === DELTA) return { ...running, text: extended(job.text, frame) };
  const { data } = frame;
  return {
    ...running,
    progress: furthest(job.progress, number(data.progress)),
    stage: string(data.stage) ?? job.stage,
    providerQueuePosition: number(data.provider_queue_position),
    etaSeconds: number(data.eta_seconds) ?? job.etaSeconds,
  };
}

function changed(job: Job, frame: Frame, now: number): Job {
  const { data } = frame;
  const status = (isOver(job) ? null : statusAfter(frame.type)) ?? job.status;
  const restarted = status === 'queued' && job.status !== 'queued';
  return {
    ...job,
    seq: frame.seq,
    status,
    stage: ENDED.has(status) ? null : (string(data.stage) ?? job.stage),
    progress: restarted ? null : (number(data.progress) ?? job.progress),
    text: restarted ? '' : job.text,
    heardAt: now,
  };
}

/** `offset` counts code points; a hole is left alone, for the finished text has all of it. */
function extended(text: string, frame: Frame): string {
  const more = string(frame.data.text) ?? '';
  const offset = number(frame.data.offset) ?? 0;
  const length = [...text].length;
  if (offset > length) return text;
  return text + [...more].slice(length - offset).join('');
}

export function jobOf(resource: Generation, now: number, text = ''): Job {
  return {
    id: resource.id,
    seq: resource.seq,
    status: resource.status,
    stage: resource.stage,
    progress: resource.progress,
    queuePosition: resource.queue_position,
    providerQueuePosition: resource.provider_queue_position,
    etaSeconds: resource.eta_seconds,
    text,
    resource,
    heardAt: now,
  };
}

function fresh(frame: Frame, now: number): Job {
  return {
    id: frame.id,
    seq: -1,
    status: 'queued',
    stage: null,
    progress: null,
    queuePosition: null,
    providerQueuePosition: null,
    etaSeconds: null,
    text: '',
    resource: null,
    heardAt: now,
  };
}

export function isOver(job: Pick<Job, 'status'>): boolean {
  return ENDED.has(job.status);
}

/** What is not finished, oldest first, as its makers wait for it. */
export function unfinished(jobs: Jobs): Job[] {
  return [...jobs.values()].filter((job) => !isOver(job)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** How far everything unfinished is together, 0 to 1; null when nothing says so. */
export function overall(jobs: readonly Job[]): number | null {
  if (jobs.every((job) => job.progress === null)) return null;
  return jobs.reduce((sum, job) => sum + (job.progress ?? 0), 0) / jobs.length;
}

function furthest(before: number | null, now: number | null): number | null {
  return before === null || now === null ? (now ?? before) : Math.max(before, now);
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function string(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
