import { type QueryKey, useQuery } from '@tanstack/react-query';
import { asProblem } from '@/api/problem';
import { useListening } from './listening';

export const POLL_MS = 10_000;
const FORBIDDEN = 403;

/**
 * Asked for again when the gateway says that it has changed; every ten seconds while it cannot say so. Given `everyMs`,
 * that often anyway: for what changes all the time.
 */
export function useWatched<T>(key: QueryKey, read: () => Promise<T>, everyMs?: number) {
  const listening = useListening();
  return useQuery({
    queryKey: key,
    queryFn: read,
    staleTime: 0,
    refetchInterval: ({ state }) => pace(state.error, listening, everyMs),
  });
}

/** How often to ask without being told; what was refused is not asked for again. A hidden page never asks. */
export function pace(error: unknown, listening: boolean, everyMs?: number): number | false {
  if (error && asProblem(error).status === FORBIDDEN) return false;
  return everyMs ?? (listening ? false : POLL_MS);
}
