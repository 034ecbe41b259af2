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

/** Submits; the key makes a repeated click or a retried request the same generation. */
export function submit(request: NewGeneration, idempotencyKey: string): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations', {
      params: { header: { 'Idempotency-Key': idempotencyKey } },
      body: request,
    }),
  );
}

export function cancel(id: string) {
  return taken(api.POST('/api/v1/generations/{id}/cancel', { params: { path: { id } } }));
}
