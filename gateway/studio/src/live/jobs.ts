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
  /** Seconds that are left as of `etaAt`: most likely, and at most in nine of ten cases. */
  etaSeconds: number | null;
  etaP90Seconds: number | null;
  etaAt: number;
  /** Somebody wants it to stop; it goes on until its provider has stopped. */
  cancelRequested: boolean;
  /** What has come so far of a text, and the offset where that begins: who joins late may lack the beginning. */
  text: string;
  textStart: number;
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
  return heardAll(jobs, [frame], now);
}

/** The same for several at once. `onNews` hears of each that said something new. */
export function heardAll(
  jobs: Jobs,
  frames: readonly Frame[],
  now: number,
  onNews?: (frame: Frame, job: Job) => void,
): Jobs {
  let next: Map<string, Job> | null = null;
  for (const frame of frames) {
    const known = (next ?? jobs).get(frame.id);
    const job = step(known, frame, now);
    if (job === null || job === known) continue;
    next ??= new Map(jobs);
    next.set(frame.id, job);
    onNews?.(frame, job);
  }
  return next ?? jobs;
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
  return jobOf(resource, now, known);
}

/** Percentages and text carry the current position; they are worth nothing once something came after it. */
function advanced(known: Job | undefined, frame: Frame, now: number): Job | null {
  if (known && (isOver(known) || frame.seq < known.seq)) return null;
  if (frame.data.waiting_for) return known ? waiting(known, frame, now) : null;
  const job = known ?? { ...fresh(frame, now), status: 'running' as const };
  const running = { ...job, seq: Math.max(job.seq, frame.seq), heardAt: now };
  if (frame.type === DELTA) return { ...running, ...extended(job, frame) };
  if (job.cancelRequested) return null;
  const { data } = frame;
  const eta = number(data.eta_seconds);
  return {
    ...running,
    progress: furthest(job.progress, number(data.progress)),
    stage: string(data.stage) ?? job.stage,
    providerQueuePosition: number(data.provider_queue_position),
    ...(eta !== null && { etaSeconds: eta, etaP90Seconds: null, etaAt: now }),
  };
}

/** What it waits for; whatever comes next ends that. */
function waiting(job: Job, frame: Frame, now: number): Job {
  const waiting_for = frame.data.waiting_for as Generation['waiting_for'];
  return { ...job, resource: job.resource && { ...job.resource, waiting_for }, heardAt: now };
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
    queuePosition: status === 'queued' ? job.queuePosition : null,
    providerQueuePosition: job.stage === string(data.stage) ? job.providerQueuePosition : null,
    cancelRequested: job.cancelRequested || data.cancel_requested === true,
    ...(restarted && NO_TEXT),
    heardAt: now,
  };
}

/**
 * `offset` counts code points. What is known already is not said twice; after a hole the text goes on from there,
 * and what comes before the known beginning is put before it.
 */
function extended({ text, textStart }: Job, frame: Frame): Pick<Job, 'text' | 'textStart'> {
  const more = [...(string(frame.data.text) ?? '')];
  const offset = number(frame.data.offset) ?? 0;
  const end = textStart + [...text].length;
  if (text === '' || offset > end) return { text: more.join(''), textStart: offset };
  const fresh = more.slice(Math.max(0, end - offset)).join('');
  const missing = offset + more.length < textStart ? [] : more.slice(0, Math.max(0, textStart - offset));
  return { text: missing.join('') + text + fresh, textStart: textStart - missing.length };
}

/** A resource as a job; of one that is known, how far it was and its text stay. */
export function jobOf(resource: Generation, now: number, known?: Job): Job {
  const same = known !== undefined && known.seq === resource.seq;
  return {
    id: resource.id,
    seq: resource.seq,
    status: resource.status,
    stage: (same ? known.stage : null) ?? resource.stage,
    progress: same ? furthest(known.progress, resource.progress) : resource.progress,
    queuePosition: resource.queue_position,
    providerQueuePosition: (same ? known.providerQueuePosition : null) ?? resource.provider_queue_position,
    etaSeconds: resource.eta_seconds,
    etaP90Seconds: resource.eta_p90_seconds,
    etaAt: now,
    cancelRequested: wantsToStop(resource),
    ...(resource.status === 'queued' ? NO_TEXT : textOf(known, resource)),
    resource,
    heardAt: now,
  };
}

const NO_TEXT = { text: '', textStart: 0 };

/** What was heard of the text; of one that was canceled meanwhile, what it had come to. */
function textOf(job: Job | undefined, resource: Generation): Pick<Job, 'text' | 'textStart'> {
  if (job?.text) return { text: job.text, textStart: job.textStart };
  return { text: string(resource.error?.details?.text) ?? '', textStart: 0 };
}

function wantsToStop(resource: Generation): boolean {
  return Boolean(resource.cancel_requested_at) && !ENDED.has(resource.status);
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
    etaP90Seconds: null,
    etaAt: now,
    cancelRequested: false,
    ...NO_TEXT,
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
