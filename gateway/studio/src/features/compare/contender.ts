import { queryOptions } from '@tanstack/react-query';
import { type Asset, fetchAsset } from '@/api/assets';
import type { Generation } from '@/api/client';
import { fetchGeneration } from '@/api/generations';
import { Problem } from '@/api/problem';

/** One of the two, and how it was made. */
export interface Contender {
  asset: Asset;
  generation: Generation | null;
}

export type Pair = readonly [Contender, Contender];

export function contenderQuery(id: string) {
  return queryOptions({ queryKey: ['contender', id], queryFn: () => fetchContender(id) });
}

async function fetchContender(id: string): Promise<Contender> {
  const asset = await fetchAsset(id).catch((error: unknown) => {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  });
  if (asset) {
    const generation = asset.generation_id ? await fetchGeneration(asset.generation_id) : null;
    return { asset, generation };
  }
  const generation = await fetchGeneration(id);
  const first = generation.outputs.find((output) => output.asset_id)?.asset_id;
  if (!first) throw new Problem('NOT_FOUND', 'There is nothing to see of that generation.', 404);
  return { asset: await fetchAsset(first), generation };
}
