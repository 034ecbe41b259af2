import { useEffect, useRef, useState } from 'react';
import { jukebox } from '@/features/players/jukebox';

export type TwoSounds = ReturnType<typeof useTwoSounds>;

/** Both run at once and one is mute, so changing over is without a gap and at the same place. */
export function useTwoSounds(a: string, b: string) {
  const sounds = useRef<readonly [HTMLAudioElement, HTMLAudioElement] | null>(null);
  const [playing, setPlaying] = useState(false);
  const [heard, setHeard] = useState<0 | 1>(0);
  const [timeS, setTimeS] = useState(0);

  useEffect(() => {
    const pair = [new Audio(a), new Audio(b)] as const;
    for (const one of pair) one.preload = 'auto';
    pair[1].muted = true;
    sounds.current = pair;
    const told = () => setTimeS(Math.max(pair[0].currentTime, pair[1].currentTime));
    const ended = () => setPlaying(pair.some((one) => !one.paused && !one.ended));
    for (const one of pair) {
      one.addEventListener('timeupdate', told);
      one.addEventListener('seeked', told);
      one.addEventListener('ended', ended);
    }
    setHeard(0);
    setTimeS(0);
    return () => {
      for (const one of pair) {
        one.pause();
        one.removeAttribute('src');
      }
      setPlaying(false);
    };
  }, [a, b]);

  const seek = (to: number) => {
    for (const one of sounds.current ?? []) one.currentTime = to;
    setTimeS(to);
  };
  const toggle = () => {
    const pair = sounds.current;
    if (!pair) return;
    if (playing) {
      for (const one of pair) one.pause();
      setPlaying(false);
      return;
    }
    jukebox.pause();
    const at = pair.every((one) => one.ended) ? 0 : Math.max(...pair.map((one) => one.currentTime));
    for (const one of pair) {
      one.currentTime = at;
      void one.play().catch(() => setPlaying(false));
    }
    setPlaying(true);
  };
  const hear = (which: 0 | 1) => {
    const pair = sounds.current;
    if (!pair) return;
    pair[which].currentTime = pair[heard].currentTime;
    pair[which].muted = false;
    pair[which === 0 ? 1 : 0].muted = true;
    setHeard(which);
  };
  /** The place at this moment: of the one that still plays. */
  const now = () => Math.max(0, ...(sounds.current ?? []).map((one) => one.currentTime));
  return { playing, heard, timeS, now, seek, toggle, hear, swap: () => hear(heard === 0 ? 1 : 0) };
}
