import { useQueries } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Asset } from '@/api/assets';
import type { Generation, Output } from '@/api/client';
import { toTrash } from '@/features/library/deeds';
import { Viewer } from '@/features/library/Viewer';
import { sayProblem } from '@/ui/toasts';
import { favor } from './favoring';
import { assetQuery } from './fullScreen';

interface Props {
  generation: Generation;
  outputs: readonly Output[];
  /** The one to look at, by its place among them. */
  chosen: number;
  onChoose: (place: number) => void;
  onClose: () => void;
}

/** What was made over the whole screen, as in the gallery. Whoever goes on to something else leaves it. */
export function Full({ generation, outputs, chosen, onChoose, onClose }: Props) {
  const router = useRouter();
  const queries = useQueries({ queries: outputs.map(({ asset_id }) => assetQuery(asset_id ?? '')) });
  const assets = outputs.flatMap((output, place) => shownAs(output, queries[place]?.data) ?? []);
  const asset = assets.find((one) => one.id === outputs[chosen]?.asset_id);
  const problem = queries[chosen]?.error;
  useEffect(() => router.subscribe('onBeforeNavigate', onClose), [router, onClose]);
  useEffect(() => {
    if (!problem) return;
    sayProblem(problem);
    onClose();
  }, [problem, onClose]);
  if (!asset) return null;
  const outputOf = (id: string) => outputs.find((one) => one.asset_id === id);
  return (
    <Viewer
      assets={assets}
      asset={asset}
      onMove={(id) => onChoose(outputs.findIndex((one) => one.asset_id === id))}
      onFavorite={(id) => {
        const output = outputOf(id);
        if (output) void favor(generation, output);
      }}
      onDelete={() => {
        void toTrash([asset.id]);
        if (assets.length === 1) onClose();
      }}
      onClose={onClose}
    />
  );
}

/** The preview has the file already, and hears of marks first. */
function shownAs({ url, favorite }: Output, asset: Asset | undefined): Asset | undefined {
  return asset && { ...asset, file_url: url, favorite };
}
