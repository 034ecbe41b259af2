import { api, type Generation, type Schema, taken } from './client';

export type Recipe = Schema['Recipe'];

/** The same again: with its own seed, or with another. */
export function rerun(id: string, seed: 'same' | 'new', idempotencyKey: string): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations/{id}/rerun', {
      params: { path: { id }, header: { 'Idempotency-Key': idempotencyKey } },
      body: { seed, overrides: {} },
    }),
  ) as Promise<Generation>;
}

/** Another try at what did not end well, at one provider if it is named. */
export function retry(id: string, provider?: string): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations/{id}/retry', {
      params: { path: { id }, query: { ...(provider && { provider }) } },
    }),
  ) as Promise<Generation>;
}

/** How it was made, with the seed that was drawn. */
export function fetchRecipe(id: string): Promise<Recipe> {
  return taken(api.GET('/api/v1/generations/{id}/recipe', { params: { path: { id } } }));
}
