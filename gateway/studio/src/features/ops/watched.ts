import { type QueryKey, useQuery } from '@tanstack/react-query';
import { asProblem } from '@/api/problem';

const EVERY_MS = 2_000;
const FORBIDDEN = 403;

/** Asks again every two seconds while the tab is in sight; what was refused is not asked for again. */
export function useWatched<T>(key: QueryKey, read: () => Promise<T>, everyMs = EVERY_MS) {
  return useQuery({
    queryKey: key,
    queryFn: read,
    staleTime: 0,
    refetchInterval: ({ state }) => pace(state.error, everyMs),
  });
}

export function pace(error: unknown, everyMs: number): number | false {
  return error && asProblem(error).status === FORBIDDEN ? false : everyMs;
}
