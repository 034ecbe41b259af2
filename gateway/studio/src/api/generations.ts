import { queryOptions } from '@tanstack/react-query';
import { api, type Generation, type Schema, taken } from './client';
import { keys } from './keys';

export type NewGeneration = Schema['GenerationRequest'];

export const ENDED = new Set<Generation['status']>(['completed', 'failed', 'canceled', 'expired']);

export function hasEnded(generation: Pick<Generation, 'status'>): boolean {
  return ENDED.has(generation.status);
}

/** One generation. The live connection keeps it fresh, so it is asked for once. */
export function generationQuery(id: string) {
  return queryOptions({ queryKey: keys.generation(id), queryFn: () => fetchGeneration(id) });
}

export function fetchGeneration(id: string): Promise<Generation> {
  return taken(api.GET('/api/v1/generations/{id}', { params: { path: { id } } }));
}

/** Those of the ids that there are, up to a hundred. */
export function fetchGenerations(ids: readonly string[]): Promise<Generation[]> {
  return fetchSome({ id: [...ids], limit: 100 });
}

/** How what is unfinished stands: its places in queues and when it will be done, which no frame tells. */
export function fetchUnfinished(): Promise<Generation[]> {
  return fetchSome({ status: ['queued', 'running'], limit: 100 });
}

/** What ended last, newest first. */
export function recentlyEndedQuery(limit: number) {
  const filters = { status: [...ENDED], limit };
  return queryOptions({ queryKey: keys.generationList(filters), queryFn: () => fetchSome(filters) });
}

async function fetchSome(query: object): Promise<Generation[]> {
  const page = await taken(api.GET('/api/v1/generations', { params: { query: query as never } }));
  return page.data;
}

/** Submits; the key makes a repeated click or a retried request the same generation. */
export function submit(request: NewGeneration, idempotencyKey: string): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations', {
      params: { header: { 'Idempotency-Key': idempotencyKey } },
      body: request,
    }),
  );
}

/** `keepalive`: it arrives even when the page goes away. */
export function cancel(id: string) {
  return taken(api.POST('/api/v1/generations/{id}/cancel', { params: { path: { id } }, keepalive: true }));
}

const MOST_IN_BULK = 500;

/** Cancels many; those that have ended meanwhile stay as they are. */
export async function cancelAll(ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += MOST_IN_BULK) {
    const some = ids.slice(start, start + MOST_IN_BULK);
    const body = { action: 'cancel', ids: some } as never;
    await taken(api.POST('/api/v1/generations:bulk', { body, keepalive: true }));
  }
}
