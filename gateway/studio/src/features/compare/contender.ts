import { queryOptions } from '@tanstack/react-query';
import { type Asset, fetchAsset, fetchAssets } from '@/api/assets';
import type { Generation } from '@/api/client';
import { fetchGeneration } from '@/api/generations';

/** One of the two, and how it was made. */
export interface Contender {
  asset: Asset;
  generation: Generation | null;
}

export type Pair = readonly [Contender, Contender];

export function contenderQuery(id: string) {
  return queryOptions({ queryKey: ['contender', id], queryFn: () => fetchContender(id) });
}

/** A generation stands for the first of its outputs that is in the library. */
async function fetchContender(id: string): Promise<Contender> {
  const outputs = await fetchAssets({ generation: id, sort: 'oldest' }, undefined, 1);
  const asset = outputs.data[0] ?? (await fetchAsset(id));
  return { asset, generation: asset.generation_id ? await fetchGeneration(asset.generation_id) : null };
}
