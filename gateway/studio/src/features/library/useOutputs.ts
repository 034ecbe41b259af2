import { useQueries } from '@tanstack/react-query';
import { type Asset, fetchAsset } from '@/api/assets';
import { assetKey } from './assetCache';

interface Outputs {
  /** Those that are there, in order. */
  assets: readonly Asset[];
  /** The one that was chosen, or the first that is there in its place. */
  shown: Asset | undefined;
  awaited: boolean;
  /** How many could not be had, and why the first of them. */
  missing: number;
  error: Error | null;
  retry: () => void;
}

/** The assets of one generation, each asked for by itself, so that one that cannot be had leaves the others. */
export function useOutputs(ids: readonly string[], chosen: string | null): Outputs {
  const asked = useQueries({
    queries: ids.map((id) => ({ queryKey: assetKey(id), queryFn: () => fetchAsset(id) })),
  });
  const wanted = asked[Math.max(0, ids.indexOf(chosen ?? ''))];
  const assets = asked.flatMap((one) => one.data ?? []);
  const failed = asked.filter((one) => one.isError && !one.data);
  return {
    assets,
    shown: wanted?.data ?? (wanted?.isError ? assets[0] : undefined),
    awaited: wanted?.isPending ?? false,
    missing: failed.length,
    error: failed[0]?.error ?? null,
    retry: () => {
      for (const one of failed) void one.refetch();
    },
  };
}
