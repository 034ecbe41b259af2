import { type InfiniteData, type QueryKey, useInfiniteQuery } from '@tanstack/react-query';

export interface Page<T> {
  data: T[];
  next: string | null;
}

export const PAGE_SIZE = 50;

/**
 * A list whose next page is asked for with the cursor of the last: `items` are those of all pages so far. Given
 * `everyMs`, it is asked for again after that long, which may depend on what there is.
 */
export function usePages<T>(
  key: QueryKey,
  fetchPage: (after: string | undefined) => Promise<Page<T>>,
  everyMs?: (items: readonly T[]) => number,
) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: everyMs && (({ state }) => everyMs(itemsOf(state.data))),
  });
  return { ...query, items: itemsOf(query.data) };
}

export function itemsOf<T>(data: InfiniteData<Page<T>, unknown> | undefined): T[] {
  return data?.pages.flatMap((page) => page.data) ?? [];
}
