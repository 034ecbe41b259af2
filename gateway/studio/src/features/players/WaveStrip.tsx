import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useIdle } from '@/app/idle';
import { classes } from '@/ui/classes';
import { BAR_STEP, barsOf, HEIGHT, pathOf, peaksQuery } from './peaks';
import styles from './WaveStrip.module.css';

interface Props {
  peaksUrl: string | null | undefined;
  /** How much of it was played, 0 to 1. */
  played: number;
  bars: number;
}

/** A sound's shape on a tile, the played part in the accent: two paths, for a list may show hundreds of them. */
export function WaveStrip({ peaksUrl, played, bars }: Props) {
  const idle = useIdle();
  const { data } = useQuery(peaksQuery(idle ? peaksUrl : null));
  const path = useMemo(() => pathOf(barsOf(data ?? { data: [] }, bars)), [data, bars]);
  const box = `0 0 ${bars * BAR_STEP} ${HEIGHT}`;
  const hidden = `inset(0 ${((1 - Math.min(1, Math.max(0, played))) * 100).toFixed(2)}% 0 0)`;
  return (
    <span className={styles.strip} aria-hidden="true">
      <svg viewBox={box} preserveAspectRatio="none" className={styles.layer}>
        <title>Waveform</title>
        <path d={path} />
      </svg>
      <svg
        viewBox={box}
        preserveAspectRatio="none"
        className={classes(styles.layer, styles.played)}
        style={{ clipPath: hidden }}
      >
        <title>Played</title>
        <path d={path} />
      </svg>
    </span>
  );
}
