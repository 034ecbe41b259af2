import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';

export type Overview = Schema['Overview'];

export const OVERVIEW = ['overview'] as const;

/** Who asks, what runs, what is left: for the frame of the page. */
export function useOverview() {
  return useQuery({ ...overviewQuery(), refetchInterval: 60_000 });
}

export function overviewQuery() {
  return queryOptions({
    queryKey: OVERVIEW,
    queryFn: () => taken(api.GET('/api/v1/overview')) as Promise<Overview>,
    staleTime: 15_000,
  });
}
