import { useEffect, useRef, useState } from 'react';
import type WaveSurfer from 'wavesurfer.js';
import { movesLess } from '@/app/motion';
import { usePainted } from '@/app/theme';
import { classes } from '@/ui/classes';
import type { Peaks } from './peaks';
import { coloursOf, surferIn } from './surfer';
import styles from './Waveform.module.css';

interface Props {
  /** Nothing while they come, and for a sound that has none: a line stands in their place. */
  peaks: Peaks | null | undefined;
  /** How much of it was played, 0 to 1. */
  played: number;
  /** The same, at any moment, while it plays: the play-head moves by it from frame to frame. */
  playedNow?: (() => number) | null;
}

/** A sound's shape, the played part in the accent. A picture only: `Scrubber` makes it a control. */
export function Waveform({ peaks, played, playedNow }: Props) {
  const ref = useRef<HTMLSpanElement>(null);
  const [surfer, setSurfer] = useState<WaveSurfer | null>(null);
  const painted = usePainted();

  useEffect(() => {
    const container = ref.current;
    if (!container || !peaks?.duration_s) return;
    let gone = false;
    let made: WaveSurfer | null = null;
    void surferIn(container, peaks).then((drawn) => {
      made = drawn;
      if (gone) drawn.destroy();
      else setSurfer(drawn);
    }, ignored);
    return () => {
      gone = true;
      made?.destroy();
      setSurfer(null);
    };
  }, [peaks]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are other ones when the theme is
  useEffect(() => {
    if (ref.current) surfer?.setOptions(coloursOf(ref.current));
  }, [surfer, painted]);

  useEffect(() => surfer?.setTime(shareOf(played) * surfer.getDuration()), [surfer, played]);
  const latest = useRef(playedNow);
  latest.current = playedNow;
  const runs = Boolean(playedNow);
  useEffect(() => {
    if (!surfer || !runs || movesLess()) return;
    let frame = requestAnimationFrame(function step() {
      surfer.setTime(shareOf(latest.current?.() ?? 0) * surfer.getDuration());
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [surfer, runs]);

  return (
    <span className={styles.waveform} aria-hidden="true">
      <span ref={ref} className={styles.drawing} />
      <span className={classes(styles.line, surfer && styles.drawn)}>
        <span style={{ transform: `scaleX(${shareOf(played)})` }} />
      </span>
    </span>
  );
}

function shareOf(played: number): number {
  return Math.min(1, Math.max(0, played));
}

/** Without the library, which needs the network, the line stays. */
function ignored(): void {}
