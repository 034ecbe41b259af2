import type { Generation } from '@/api/client';

/** A frame of the websocket about one generation. `seq` is its place in that generation's history. */
export interface Frame {
  v: 1;
  id: string;
  seq: number;
  ts: string;
  type: string;
  data: Record<string, unknown>;
  reset?: true;
}

/** What the connection says of itself (`subscribed`, `pong`, `error`), or of the installation (`ops.changed`). */
export interface Control {
  v: 1;
  ts: string;
  type: string;
  data?: Record<string, unknown>;
}

export const SNAPSHOT = 'snapshot';
export const PROGRESS = 'generation.progress';
export const DELTA = 'generation.delta';
export const SETTLED = 'generation.settled';

const STATUSES: Record<string, Generation['status']> = {
  'generation.queued': 'queued',
  'generation.retrying': 'queued',
  'generation.submitting': 'running',
  'generation.waiting': 'running',
  'generation.storing': 'running',
  'generation.completed': 'completed',
  'generation.failed': 'failed',
  'generation.canceled': 'canceled',
  'generation.expired': 'expired',
};

/** The status that a change leads to; null when it leaves it. */
export function statusAfter(type: string): Generation['status'] | null {
  return STATUSES[type] ?? null;
}

/** Progress and text: they are in no history, and the next one outdates them. */
export function isPassing(frame: Frame): boolean {
  return frame.type === PROGRESS || frame.type === DELTA;
}

export function isAboutGeneration(message: Frame | Control): message is Frame {
  return 'id' in message && (message.type === SNAPSHOT || message.type.startsWith('generation.'));
}

export function isControl(message: Frame | Control): message is Control {
  return !('id' in message);
}

export function isAboutAccount(message: Frame | Control): message is Frame {
  return 'id' in message && !isAboutGeneration(message);
}
