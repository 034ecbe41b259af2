import { infiniteQueryOptions } from '@tanstack/react-query';
import { address } from './address';
import { api, type Schema, taken } from './client';
import { keys } from './keys';
import type { Page } from './pages';
import { PAGE_SIZE } from './pages';
import { problemOf } from './problem';
import { sessionFetch } from './session';

export type Asset = Schema['AssetResource'];
export type AssetChanges = Partial<Schema['AssetChanges']>;
export type AssetFilters = Readonly<Record<string, string | number | boolean | undefined>>;
type BulkRequest = Schema['AssetBulk'];

/** As many can be changed, or packed into an archive, at once. */
export const MOST_AT_ONCE = 1000;
const LARGEST_PAGE = 100;

export async function fetchAssets(
  filters: AssetFilters,
  after?: string,
  limit: number = PAGE_SIZE,
): Promise<Page<Asset>> {
  const query = { ...filters, limit, ...(after && { after }) };
  return taken(api.GET('/api/v1/assets', { params: { query: query as never } }));
}

/** The list of what the filters match, page by page. */
export function assetsQuery(filters: AssetFilters) {
  return infiniteQueryOptions({
    queryKey: keys.assets(filters),
    queryFn: ({ pageParam }) => fetchAssets(filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

/** Everything that the filters match, up to what can be changed at once. */
export async function fetchMatching(filters: AssetFilters): Promise<Asset[]> {
  const found: Asset[] = [];
  let after: string | undefined;
  do {
    const page = await fetchAssets(filters, after, LARGEST_PAGE);
    found.push(...page.data);
    after = page.next ?? undefined;
  } while (after && found.length < MOST_AT_ONCE);
  return found;
}

export function fetchAsset(id: string): Promise<Asset> {
  return taken(api.GET('/api/v1/assets/{id}', { params: { path: { id } } }));
}

export function changeAsset(id: string, changes: AssetChanges): Promise<Asset> {
  return taken(
    api.PATCH('/api/v1/assets/{id}', { params: { path: { id } }, body: changes as Schema['AssetChanges'] }),
  );
}

export function changeAssets(
  ids: readonly string[],
  action: BulkRequest['action'],
  more: { tags?: string[]; project_id?: string | null } = {},
) {
  return taken(api.POST('/api/v1/assets/bulk', { body: { ids: [...ids], action, ...more } as BulkRequest }));
}

/** The archive as the browser keeps it, ready to be saved. */
export async function zipAssets(ids: readonly string[]): Promise<Blob> {
  const response = await sessionFetch(
    new Request(new URL(address('/api/v1/assets/zip'), location.href), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ids }),
    }),
  );
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  return response.blob();
}
