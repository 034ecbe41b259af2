import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import type { Generation } from '@/api/client';
import { copy } from '@/ui/clipboard';
import { ActionBar } from './ActionBar';
import { toTrash } from './deeds';
import { nameOf } from './words';

interface Props {
  asset: Asset;
  /** How it was made; null for uploads, and until it is known. */
  generation?: Generation;
  onDeleted?: () => void;
}

/** What can be done with one asset. */
export function AssetActions({ asset, generation, onDeleted }: Props) {
  const shared = asset.generation_id
    ? { generation_id: asset.generation_id, n: asset.output ?? 0 }
    : { upload_id: asset.upload_id ?? '' };
  return (
    <ActionBar
      generation={generation}
      picture={asset.type === 'image' ? pictureOf(asset) : null}
      file={shared}
      downloadUrl={`${asset.file_url}?download=true`}
      onCopyLink={() =>
        void copy(new URL(fileAddress(asset.file_url), location.href).href, 'The link is copied.')
      }
      onDelete={() => {
        void toTrash([asset.id]);
        onDeleted?.();
      }}
    />
  );
}

function pictureOf(asset: Asset) {
  const { id, mime, prompt } = asset;
  const note = { name: nameOf(asset), mime, thumbnail: asset.thumbnail_url, seconds: null };
  return { id, note, prompt: prompt || null };
}
