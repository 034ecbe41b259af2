import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { SoundPlayer } from '@/features/players/SoundPlayer';
import { VideoPlayer } from '@/features/players/VideoPlayer';
import { ZoomPane } from '@/features/players/ZoomPane';
import type { Zoom } from '@/features/players/zoom';
import { pictureFor, scaled } from './pictures';
import styles from './Stage.module.css';
import { nameOf } from './words';

const SCREEN_PX = 1920;

interface Props {
  asset: Asset;
  plays?: boolean;
  zoom: Zoom;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}

/** What fills the screen. A picture's small version stands behind it until the large one has come. */
export function Stage({ asset, plays, zoom, onZoom }: Props) {
  const name = nameOf(asset);
  if (asset.type === 'audio')
    return (
      <div className={styles.sound}>
        <SoundPlayer
          large
          url={asset.file_url}
          title={name}
          peaksUrl={asset.peaks_url}
          durationS={asset.duration_seconds}
        />
      </div>
    );
  if (asset.type === 'video')
    return (
      <div className={styles.film}>
        <VideoPlayer url={asset.file_url} title={name} posterUrl={asset.thumbnail_url} plays={plays} />
      </div>
    );
  if (asset.type === 'text') {
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      <article className={styles.text} tabIndex={0}>
        {asset.text}
      </article>
    );
  }
  const large = zoom.scale > 1 || (asset.width ?? 0) <= SCREEN_PX;
  const small = pictureFor(asset, 200);
  return (
    <ZoomPane zoom={zoom} onZoom={onZoom}>
      {small && <img src={small} alt="" draggable={false} />}
      <img
        src={large ? fileAddress(asset.file_url) : scaled(asset, SCREEN_PX)}
        alt={name}
        width={asset.width ?? undefined}
        height={asset.height ?? undefined}
        draggable={false}
      />
    </ZoomPane>
  );
}
