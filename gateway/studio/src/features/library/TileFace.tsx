import type { Asset } from '@/api/assets';
import { clock } from '@/features/players/clock';
import { pictureFor } from './pictures';
import styles from './Tile.module.css';
import { iconOf, nameOf } from './words';

/** What a tile shows: the picture, the film's first one, the first words, or a sound's title. */
export function TileFace({ asset, width }: { asset: Asset; width: number }) {
  if (asset.type === 'text') return <span className={styles.words}>{asset.text ?? nameOf(asset)}</span>;
  if (asset.type === 'audio') return <SoundFace asset={asset} />;
  const src = pictureFor(asset, width);
  return (
    <>
      {src && (
        <img
          src={src}
          alt=""
          width={asset.width ?? undefined}
          height={asset.height ?? undefined}
          decoding="async"
          draggable={false}
        />
      )}
      {asset.type === 'video' && asset.duration_seconds !== null && (
        <span className={styles.length}>{clock(asset.duration_seconds)}</span>
      )}
      {asset.deleted_at && <span className={styles.length}>{daysLeft(asset)}</span>}
    </>
  );
}

function SoundFace({ asset }: { asset: Asset }) {
  const Icon = iconOf(asset.kind);
  return (
    <span className={styles.sound}>
      <span className={styles.soundTitle}>
        {Icon && <Icon aria-hidden="true" />}
        <span>{nameOf(asset)}</span>
      </span>
      <span className={styles.soundLength}>
        {asset.duration_seconds === null ? '' : clock(asset.duration_seconds)}
      </span>
    </span>
  );
}

const DAY_MS = 86_400_000;

/** How long it can still be had back. */
export function daysLeft(asset: Pick<Asset, 'restorable_until'>, now = Date.now()): string {
  if (!asset.restorable_until) return 'In the trash';
  const days = Math.max(0, Math.ceil((Date.parse(asset.restorable_until) - now) / DAY_MS));
  return days === 1 ? '1 day left' : `${days} days left`;
}
