import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { SoundPlayer } from '@/features/players/SoundPlayer';
import { VideoPlayer } from '@/features/players/VideoPlayer';
import styles from './AssetShow.module.css';
import { scaled } from './pictures';
import { nameOf } from './words';

/** The asset itself, as large as its place allows: seen, played or read. */
export function AssetShow({ asset, onFull }: { asset: Asset; onFull?: () => void }) {
  const { type, width, height } = asset;
  const name = nameOf(asset);
  if (type === 'audio')
    return (
      <SoundPlayer
        url={asset.file_url}
        title={name}
        peaksUrl={asset.peaks_url}
        durationS={asset.duration_seconds}
        downloadUrl={`${asset.file_url}?download=true`}
      />
    );
  if (type === 'video')
    return (
      <VideoPlayer
        url={asset.file_url}
        title={name}
        posterUrl={asset.thumbnail_url}
        width={width}
        height={height}
      />
    );
  if (type === 'text') return <div className={styles.text}>{asset.text}</div>;
  const picture = (
    <img
      className={styles.picture}
      src={width && width > 960 ? scaled(asset, 960) : fileAddress(asset.file_url)}
      alt={name}
      width={width ?? undefined}
      height={height ?? undefined}
      decoding="async"
    />
  );
  if (!onFull) return picture;
  return (
    <button type="button" className={styles.open} aria-label={`Full screen: ${name}`} onClick={onFull}>
      {picture}
    </button>
  );
}
