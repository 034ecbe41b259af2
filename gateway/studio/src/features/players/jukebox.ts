import { useSyncExternalStore } from 'react';

/** What the page's one sound does. Another that is played takes its place, so two never sound together. */
export interface Playing {
  /** The address of what was played last; null before the first. */
  src: string | null;
  playing: boolean;
  timeS: number;
  /** 0 until it is known. */
  durationS: number;
  speed: number;
  volume: number;
  loop: boolean;
  failed: boolean;
}

const VOLUME = 'penstock:volume';
const watchers = new Set<() => void>();
let element: HTMLAudioElement | null = null;
/** The film that was begun last: it falls silent when a sound begins, or another film. */
let film: HTMLVideoElement | null = null;
let state: Playing = {
  src: null,
  playing: false,
  timeS: 0,
  durationS: 0,
  speed: 1,
  volume: storedVolume(),
  loop: false,
  failed: false,
};

function storedVolume(): number {
  const stored = typeof localStorage === 'undefined' ? null : localStorage.getItem(VOLUME);
  const volume = Number(stored ?? 1);
  return volume >= 0 && volume <= 1 ? volume : 1;
}

function set(change: Partial<Playing>): void {
  state = { ...state, ...change };
  for (const watcher of watchers) watcher();
}

function sound(): HTMLAudioElement {
  if (element) return element;
  const made = new Audio();
  made.preload = 'auto';
  made.addEventListener('play', () => {
    film?.pause();
    set({ playing: true });
  });
  made.addEventListener('pause', () => set({ playing: false }));
  made.addEventListener('ended', () => set({ playing: false, timeS: made.duration }));
  made.addEventListener('timeupdate', () => set({ timeS: made.currentTime }));
  made.addEventListener('seeked', () => set({ timeS: made.currentTime }));
  made.addEventListener('error', () => set({ playing: false, failed: true }));
  made.addEventListener('durationchange', () => {
    if (Number.isFinite(made.duration)) set({ durationS: made.duration });
  });
  element = made;
  return made;
}

function load(src: string, atS = 0): HTMLAudioElement {
  const audio = sound();
  if (state.src === src && !state.failed) return audio;
  audio.src = src;
  audio.playbackRate = state.speed;
  audio.defaultPlaybackRate = state.speed;
  audio.volume = state.volume;
  audio.loop = state.loop;
  set({ src, timeS: atS, durationS: 0, failed: false });
  return audio;
}

export const jukebox = {
  subscribe(watcher: () => void) {
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
    };
  },
  snapshot: () => state,
  /** Where the sound that plays is at this moment, which it tells by itself four times a second only. */
  now: () => element?.currentTime ?? 0,
  toggle(src: string): void {
    if (state.src === src && state.playing) sound().pause();
    else void load(src).play().catch(ignored);
  },
  seek(src: string, timeS: number): void {
    const audio = load(src, timeS);
    audio.currentTime = timeS;
    set({ timeS });
  },
  setSpeed(speed: number): void {
    sound().playbackRate = speed;
    sound().defaultPlaybackRate = speed;
    set({ speed });
  },
  setVolume(volume: number): void {
    sound().volume = volume;
    localStorage.setItem(VOLUME, String(volume));
    set({ volume });
  },
  setLoop(loop: boolean): void {
    sound().loop = loop;
    set({ loop });
  },
  /** Without an address: whatever plays. */
  pause(src?: string): void {
    if (element && (src === undefined || state.src === src)) element.pause();
    if (src === undefined) film?.pause();
  },
  /** A film begins. */
  begins(next: HTMLVideoElement): void {
    element?.pause();
    if (film !== next) film?.pause();
    film = next;
  },
};

/** A play that is interrupted by a pause is refused; errors of loading have their own event. */
function ignored(): void {}

const IDLE = { playing: false, timeS: 0, durationS: 0, failed: false };

/** The state as far as it concerns one sound. */
export function useSound(src: string): Playing {
  const now = useSyncExternalStore(jukebox.subscribe, jukebox.snapshot);
  return now.src === src ? now : { ...now, ...IDLE };
}
