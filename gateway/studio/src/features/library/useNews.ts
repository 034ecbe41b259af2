import { useEffect, useRef, useState } from 'react';
import { type Asset, type AssetFilters, fetchAsset, fetchAssets } from '@/api/assets';
import { keys } from '@/api/keys';
import { live } from '@/live/live';
import { drop, knows, prepend, put, refreshLists } from './assetCache';

const SETTLE_MS = 600;
const MOST_ASKED_FOR = 20;

/**
 * What has come since the list was shown, newest first, and `take`, which puts it above the list. Marks that another
 * window set appear in place, and what it deleted goes.
 */
export function useNews(filters: AssetFilters, items: readonly Asset[], newestFirst: boolean) {
  const [fresh, setFresh] = useState<readonly Asset[]>([]);
  const name = JSON.stringify(filters);
  const latest = useRef({ filters, items });
  latest.current = { filters, items };

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins without news
  useEffect(() => setFresh([]), [name]);

  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const { filters: asked, items: shown } = latest.current;
      const page = await fetchAssets(asked).catch(() => null);
      const first = shown[0];
      const known = new Set(shown.map((one) => one.id));
      const added = (page?.data ?? []).filter((one) => !known.has(one.id) && (!first || one.id > first.id));
      setFresh(added);
    };
    const soon = () => {
      clearTimeout(due);
      if (newestFirst) due = setTimeout(() => void look(), SETTLE_MS);
    };
    const stopFrames = live.onFrame((frame) => frame.type === 'generation.completed' && soon());
    const stopNews = live.onAccountEvent((frame) => {
      if (frame.type !== 'assets.changed') return;
      const { change, ids = [] } = frame.data as { change: string; ids?: string[] };
      if (change === 'deleted') drop(new Set(ids));
      else if (change === 'changed') void refresh(ids.filter(knows));
      else if (change === 'restored') refreshLists();
      else soon();
    });
    return () => {
      clearTimeout(due);
      stopFrames();
      stopNews();
    };
  }, [newestFirst]);

  const take = () => {
    prepend(keys.assets(filters), fresh);
    setFresh([]);
  };
  return { fresh, take };
}

async function refresh(ids: readonly string[]): Promise<void> {
  if (ids.length > MOST_ASKED_FOR) return refreshLists();
  for (const asset of await Promise.allSettled(ids.map(fetchAsset))) {
    if (asset.status === 'fulfilled') put(asset.value);
  }
}
