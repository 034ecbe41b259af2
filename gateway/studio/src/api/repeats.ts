import { api, type Generation, taken } from './client';
import { newId } from './ids';

/** The same again: with its seed, or with another one. */
export function rerun(id: string, seed: 'same' | 'new'): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations/{id}/rerun', {
      params: { path: { id }, header: { 'Idempotency-Key': newId() } as never },
      body: { seed, overrides: {} },
    }),
  );
}

/** What failed, once more; first at that provider, if one is named. */
export function retry(id: string, provider?: string): Promise<Generation> {
  return taken(
    api.POST('/api/v1/generations/{id}/retry', { params: { path: { id }, query: { provider } as never } }),
  );
}

/** The request that makes it again: what was asked for without what is a kind's own default, and the seed drawn. */
export function fetchRecipe(id: string) {
  return taken(api.GET('/api/v1/generations/{id}/recipe', { params: { path: { id } } }));
}
