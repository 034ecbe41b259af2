import type { InfiniteData } from '@tanstack/react-query';
import type { Asset } from '@/api/assets';
import { keys } from '@/api/keys';
import type { Page } from '@/api/pages';
import { queryClient } from '@/api/queries';

type Lists = InfiniteData<Page<Asset>, string | undefined>;

const ALL = ['assets'];

function eachList(change: (rows: Asset[]) => Asset[]): void {
  queryClient.setQueriesData<Lists | Asset>({ queryKey: ALL }, (cached) => {
    if (!cached || !('pages' in cached)) return cached;
    return { ...cached, pages: cached.pages.map((page) => ({ ...page, data: change(page.data) })) };
  });
}

export function assetKey(id: string) {
  return [...ALL, 'one', id];
}

/** The asset as it is now, wherever it is shown; lists keep their order until they are asked for again. */
export function put(asset: Asset): void {
  if (queryClient.getQueryData(assetKey(asset.id))) queryClient.setQueryData(assetKey(asset.id), asset);
  eachList((rows) =>
    rows.some((row) => row.id === asset.id) ? rows.map((row) => (row.id === asset.id ? asset : row)) : rows,
  );
}

export function drop(ids: ReadonlySet<string>): void {
  eachList((rows) => (rows.some((row) => ids.has(row.id)) ? rows.filter((row) => !ids.has(row.id)) : rows));
}

/** Puts what is new above what one list shows. */
export function prepend(key: readonly unknown[], fresh: readonly Asset[]): void {
  queryClient.setQueryData<Lists>(key, (cached) => {
    const [first, ...rest] = cached?.pages ?? [];
    if (!cached || !first) return cached;
    const known = new Set(cached.pages.flatMap((page) => page.data.map((row) => row.id)));
    const added = fresh.filter((one) => !known.has(one.id));
    return { ...cached, pages: [{ ...first, data: [...added, ...first.data] }, ...rest] };
  });
}

export function knows(id: string): boolean {
  const lists = queryClient.getQueriesData<Lists | Asset>({ queryKey: ALL });
  return lists.some(
    ([, cached]) =>
      cached && 'pages' in cached && cached.pages.some((page) => page.data.some((row) => row.id === id)),
  );
}

export function refreshLists(): void {
  void queryClient.invalidateQueries({ queryKey: ALL });
  refreshGenerations();
}

/** Generations tell how their outputs are marked. */
export function refreshGenerations(): void {
  void queryClient.invalidateQueries({ queryKey: keys.generations });
}
