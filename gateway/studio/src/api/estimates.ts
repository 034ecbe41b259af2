import { api, type Schema, taken } from './client';
import type { NewGeneration } from './generations';

export type Estimate = Schema['Estimate'];

/** What it would cost and whether it would be taken; of a form that is not finished, as far as it goes. */
export function fetchEstimate(request: NewGeneration, signal?: AbortSignal): Promise<Estimate> {
  return taken(
    api.POST('/api/v1/generations:estimate', {
      params: { query: { draft: true } },
      body: request,
      signal,
    }),
  );
}
