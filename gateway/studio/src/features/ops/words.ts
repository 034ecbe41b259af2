import type { Tone } from '@/ui/Badge';
import { separated } from '@/ui/digits';
import { stateWord } from '@/ui/states';

const SIZES: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** A length of time in its two largest units: 3 s, 4 min, 2 h 5 min, 3 d 4 h. */
export function span(seconds: number): string {
  if (seconds < 10 && seconds % 1 !== 0) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const first = SIZES.findIndex(([, size]) => whole >= size);
  const found = SIZES[first];
  if (!found) return `${whole} s`;
  const [unit, size] = found;
  const count = `${Math.floor(whole / size)} ${unit}`;
  const next = SIZES[first + 1];
  const rest = next ? Math.floor((whole % size) / next[1]) : 0;
  return next && rest > 0 ? `${count} ${rest} ${next[0]}` : count;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${separated(count)} ${count === 1 ? one : many}`;
}

const TONES: Readonly<Record<string, Tone>> = {
  running: 'accent',
  completed: 'good',
  failed: 'bad',
  expired: 'warn',
  up: 'good',
  quiet: 'warn',
  draining: 'warn',
  down: 'bad',
  healthy: 'good',
  degraded: 'warn',
  paused: 'warn',
  resting: 'warn',
  drained: 'warn',
  valid: 'good',
  refused: 'bad',
  unreachable: 'bad',
};

export function toneOf(word: string): Tone {
  return TONES[word] ?? 'plain';
}

/** `provider_queued` as people write it: Provider queued. */
export function plain(word: string): string {
  return stateWord(word.replaceAll('.', ' '));
}
