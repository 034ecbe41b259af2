import { type InfiniteData, type QueryKey, useInfiniteQuery } from '@tanstack/react-query';

export interface Page<T> {
  data: T[];
  next: string | null;
}

export const PAGE_SIZE = 50;

/** A list whose next page is asked for with the cursor of the last: `items` are those of all pages so far. */
export function usePages<T>(key: QueryKey, fetchPage: (after: string | undefined) => Promise<Page<T>>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  return { ...query, items: itemsOf(query.data) };
}

export function itemsOf<T>(data: InfiniteData<Page<T>, unknown> | undefined): T[] {
  return data?.pages.flatMap((page) => page.data) ?? [];
}
