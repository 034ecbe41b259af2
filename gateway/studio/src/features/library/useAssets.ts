import { useInfiniteQuery } from '@tanstack/react-query';
import { type AssetFilters, fetchAssets } from '@/api/assets';
import { keys } from '@/api/keys';
import { itemsOf } from '@/api/pages';

/** Assets, page by page. What comes later waits above (`useNews`), so the list is not asked for again by itself. */
export function useAssets(filters: AssetFilters) {
  const key = keys.assets(filters);
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => fetchAssets(filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  return { ...query, key, items: itemsOf(query.data) };
}
