import { queryOptions } from '@tanstack/react-query';
import { lazy } from 'react';
import { fetchAsset } from '@/api/assets';
import type { Output } from '@/api/client';
import { queryClient } from '@/api/queries';
import { assetKey } from '@/features/library/assetCache';

const whole = () => import('./Full');

/** The outputs over the whole screen, in a file of its own. */
export const Full = lazy(async () => ({ default: (await whole()).Full }));

export function assetQuery(id: string) {
  return queryOptions({ queryKey: assetKey(id), queryFn: () => fetchAsset(id) });
}

/** For who seems to be about to open it: what comes next is there when they do. */
export function prepareFull(output: Output): void {
  whole().catch(saidWhenOpened);
  if (output.asset_id) void queryClient.prefetchQuery(assetQuery(output.asset_id));
}

function saidWhenOpened(): void {}
