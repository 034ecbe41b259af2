import {
  type InfiniteData,
  type QueryKey,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from '@tanstack/react-query';
import { useCallback } from 'react';

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

/**
 * For lists that go on by themselves when their end is near: asks for the next page, unless that is on its way or failed.
 * After a failure a person asks, or the end that is still near would ask forever.
 */
export function useMore(
  list: Pick<
    UseInfiniteQueryResult,
    'hasNextPage' | 'isFetchingNextPage' | 'isFetchNextPageError' | 'fetchNextPage'
  >,
): () => void {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const goesOn = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  return useCallback(() => {
    if (goesOn) void fetchNextPage();
  }, [goesOn, fetchNextPage]);
}

export function itemsOf<T>(data: InfiniteData<Page<T>, unknown> | undefined): T[] {
  return data?.pages.flatMap((page) => page.data) ?? [];
}
