import { useQuery } from '@tanstack/react-query';
import { api, type Generation, taken } from '@/api/client';
import { keys } from '@/api/keys';

const LIMIT = 24;

/** The latest of some kinds, newest first; kept fresh by the live connection. */
export function useRecent(kind: string, status?: string) {
  const filters = { kind, ...(status && { status }), limit: LIMIT };
  return useQuery({
    queryKey: keys.generationList(filters),
    queryFn: () => fetchRecent(filters),
    staleTime: 10_000,
  });
}

async function fetchRecent(filters: Record<string, string | number>): Promise<Generation[]> {
  const page = await taken(api.GET('/api/v1/generations', { params: { query: filters as never } }));
  return (page as { data: Generation[] }).data;
}
