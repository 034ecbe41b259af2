import type { KeyboardEvent, PointerEvent } from 'react';
import { length } from '@/ui/time';
import type { Peaks } from './peaks';
import styles from './Scrubber.module.css';
import { Waveform } from './Waveform';

interface Props {
  label: string;
  peaks: Peaks | null | undefined;
  timeS: number;
  durationS: number;
  /** The place at any moment, while it plays. */
  now?: (() => number) | null;
  onSeek: (timeS: number) => void;
}

const STEP_S = 5;

/** Where in the sound one is: drag it, click it, or use the arrow keys. */
export function Scrubber({ label, peaks, timeS, durationS, now, onSeek }: Props) {
  const share = (seconds: number) => (durationS ? seconds / durationS : 0);
  const at = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    onSeek(share * durationS);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = stepped(event.key, timeS, durationS);
    if (to === null) return;
    event.preventDefault();
    onSeek(Math.min(durationS, Math.max(0, to)));
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.round(durationS)}
      aria-valuenow={Math.round(timeS)}
      aria-valuetext={`${length(timeS)} of ${length(durationS)}`}
      className={styles.scrubber}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        at(event);
      }}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && at(event)}
      onKeyDown={onKeyDown}
    >
      <Waveform peaks={peaks} played={share(timeS)} playedNow={now ? () => share(now()) : null} />
    </div>
  );
}

export function stepped(key: string, timeS: number, durationS: number): number | null {
  if (key === 'ArrowRight' || key === 'ArrowUp') return timeS + STEP_S;
  if (key === 'ArrowLeft' || key === 'ArrowDown') return timeS - STEP_S;
  if (key === 'PageUp') return timeS + durationS / 10;
  if (key === 'PageDown') return timeS - durationS / 10;
  if (key === 'Home') return 0;
  if (key === 'End') return durationS;
  return null;
}
