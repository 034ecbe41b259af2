import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, type Model, taken } from './client';
import { keys } from './keys';

/** The models of a kind, best first; those that cannot run now say why. */
export function useModels(kind: string) {
  return useQuery(modelsQuery(kind));
}

export function modelsQuery(kind: string) {
  return queryOptions({ queryKey: keys.models(kind), queryFn: () => fetchModels(kind), staleTime: 60_000 });
}

async function fetchModels(kind: string): Promise<Model[]> {
  const list = await taken(api.GET('/api/v1/models', { params: { query: { kind } as never } }));
  return list.data;
}
