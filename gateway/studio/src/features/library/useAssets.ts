import { useInfiniteQuery } from '@tanstack/react-query';
import { type AssetFilters, assetsQuery } from '@/api/assets';
import { itemsOf } from '@/api/pages';

/** Assets, page by page. What comes later waits above (`useNews`), so the list is not asked for again by itself. */
export function useAssets(filters: AssetFilters) {
  const wanted = assetsQuery(filters);
  const query = useInfiniteQuery({ ...wanted, refetchOnWindowFocus: false, refetchOnReconnect: false });
  return { ...query, key: wanted.queryKey, items: itemsOf(query.data) };
}
