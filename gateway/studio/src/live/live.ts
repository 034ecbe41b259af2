import { useMemo, useSyncExternalStore } from 'react';
import type { Generation } from '@/api/client';
import { fetchUnfinished } from '@/api/generations';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { type Frame, isPassing, SNAPSHOT } from './frame';
import { isOver, type Job, unfinished } from './jobs';
import { LiveSocket } from './socket';
import { whenSeen } from './soon';
import { LiveStore } from './store';
import { Wholes } from './wholes';

/** The tab's one live connection. */
export const live = new LiveStore();
export const socket = new LiveSocket(live);

const wholes = new Wholes(live);

const LISTS_AT_MOST_EVERY_MS = 1_000;
let listsAreDue = false;

live.onFrame((frame, job) => {
  if (isPassing(frame) && !isShown(frame.id)) return;
  const known = queryClient.getQueryData<Generation>(keys.generation(frame.id));
  if (frame.type === SNAPSHOT && job.resource) {
    queryClient.setQueryData(keys.generation(frame.id), job.resource);
  } else if (known) {
    queryClient.setQueryData(keys.generation(frame.id), { ...known, ...fieldsOf(job) });
  }
  if (isPassing(frame) || frame.type === SNAPSHOT) return;
  if (saysTooLittle(frame, job)) wholes.want(frame.id);
  if (!listsAreDue) setTimeout(refreshLists, LISTS_AT_MOST_EVERY_MS);
  listsAreDue = true;
});

/** Whether a view shows it from the cache; hundreds that none shows would cost more than they are worth. */
function isShown(id: string): boolean {
  const query = queryClient.getQueryCache().find({ queryKey: keys.generation(id) });
  return query !== undefined && query.getObserversCount() > 0;
}

/** An end brings outputs, errors and the bill; a failed try, why and when there is another. */
function saysTooLittle(frame: Frame, job: Job): boolean {
  return isOver(job) || !job.resource || ASK_AFTER.has(frame.type);
}

const ASK_AFTER = new Set(['generation.retrying', 'generation.waiting', 'generation.updated']);

function fieldsOf(job: Job): Partial<Generation> {
  return {
    seq: job.seq,
    status: job.status,
    stage: job.stage,
    progress: job.progress,
    provider_queue_position: job.providerQueuePosition,
    eta_seconds: job.etaSeconds,
  };
}

live.onControl(({ type, data }) => {
  if (type === 'queue.paused')
    rest(String(data?.kind), { reason: 'paused', until: (data?.until as string | null) ?? null });
  if (type === 'queue.resumed') rest(String(data?.kind), null);
});

/**
 * All that queues of a kind waits, or goes on; a pause is told once and not for each of them. What was said of how
 * long they take is past by that.
 */
function rest(kind: string, waiting_for: Generation['waiting_for']): void {
  const queued = unfinished(live.snapshot().jobs).flatMap(({ status, seq, resource }) =>
    status === 'queued' && resource?.kind === kind && resource.seq === seq ? [resource] : [],
  );
  const changed = queued.filter(({ waiting_for: was }) => waiting_for !== null || was?.reason === 'paused');
  const timeless = { waiting_for, eta_seconds: null, eta_p90_seconds: null };
  wholes.take(changed.map((resource) => ({ ...resource, ...timeless })));
}

/** Nobody looks at the lists of a hidden page: they are asked for again when it is seen. */
function refreshLists(): void {
  listsAreDue = false;
  whenSeen(askForLists);
}

function askForLists(): void {
  void queryClient.invalidateQueries({ queryKey: [...keys.generations, 'list'] });
}

/** Asks again how all that is unfinished stands. */
export async function lookAgain(): Promise<void> {
  wholes.take(await fetchUnfinished());
}

/**
 * What is unfinished, once it is known what it is: who comes just after an end is told all that led there, which
 * would flash by as a job without a name.
 */
export function useJobs(): Job[] {
  const { jobs } = useSyncExternalStore(live.subscribe, live.snapshot, live.snapshot);
  return useMemo(() => unfinished(jobs).filter(({ resource }) => resource !== null), [jobs]);
}

/** One generation as the connection knows it; undefined when it was never heard of. */
export function useJob(id: string): Job | undefined {
  return useSyncExternalStore(live.subscribe, () => live.snapshot().jobs.get(id));
}

export function useConnection() {
  const connection = () => live.snapshot().connection;
  return useSyncExternalStore(live.subscribe, connection, connection);
}
