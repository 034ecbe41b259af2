import { Pause, Play } from 'lucide-react';
import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { jukebox, useSound } from '@/features/players/jukebox';
import { WaveStrip } from '@/features/players/WaveStrip';
import styles from './SoundTile.module.css';

/** A sound's waveform on its tile, and the button that plays it there. */
export function SoundTile({ asset, bars }: { asset: Asset; bars: number }) {
  const src = fileAddress(asset.file_url);
  const sound = useSound(src);
  const lasts = sound.durationS || asset.duration_seconds || 0;
  return (
    <>
      <span className={styles.wave}>
        <WaveStrip peaksUrl={asset.peaks_url} played={lasts ? sound.timeS / lasts : 0} bars={bars} />
      </span>
      <button
        type="button"
        tabIndex={-1}
        className={styles.play}
        aria-label={sound.playing ? 'Pause' : 'Play'}
        onClick={() => jukebox.toggle(src)}
      >
        {sound.playing ? <Pause aria-hidden="true" /> : <Play aria-hidden="true" />}
      </button>
    </>
  );
}
