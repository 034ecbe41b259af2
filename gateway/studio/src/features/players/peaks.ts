import { queryOptions } from '@tanstack/react-query';
import { fileAddress } from '@/api/address';
import { problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';

/** A waveform as the gateway measured it: the lowest and highest value of each part, in signed bytes. */
export interface Peaks {
  data: number[];
  length: number;
  duration_s: number;
}

export const LOUDEST = 127;
const QUIETEST_BAR = 0.03;

/** A waveform never changes, so it is asked for once. */
export function peaksQuery(url: string | null | undefined) {
  return queryOptions({
    queryKey: ['peaks', url],
    queryFn: () => fetchPeaks(url ?? ''),
    enabled: Boolean(url),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

async function fetchPeaks(url: string): Promise<Peaks> {
  // Pictures come first: a sound is heard without its shape.
  const request = new Request(new URL(fileAddress(url), location.href), { priority: 'low' });
  const response = await sessionFetch(request);
  if (!response.ok) throw problemOf(response, null);
  return (await response.json()) as Peaks;
}

/** What is above the middle and what is below it, each -1 to 1, as wavesurfer wants its channels. */
export function halvesOf({ data }: Pick<Peaks, 'data'>): [Float32Array, Float32Array] {
  const half = (first: number) =>
    Float32Array.from({ length: data.length >> 1 }, (_, n) => (data[n * 2 + first] ?? 0) / LOUDEST);
  return [half(1), half(0)];
}

/** The loudness of as many equal parts, 0 to 1, the loudest of all at 1. */
export function barsOf(peaks: Pick<Peaks, 'data'>, count: number): number[] {
  const pairs = Math.floor(peaks.data.length / 2);
  if (pairs === 0) return Array<number>(count).fill(QUIETEST_BAR);
  const bars = Array.from({ length: count }, (_, n) => {
    const from = Math.floor((n * pairs) / count);
    const to = Math.max(from + 1, Math.floor(((n + 1) * pairs) / count));
    const part = peaks.data.slice(from * 2, to * 2);
    return part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / LOUDEST;
  });
  const loudest = Math.max(...bars, 1 / LOUDEST);
  return bars.map((bar) => Math.max(QUIETEST_BAR, bar / loudest));
}

export const BAR_STEP = 4;
export const HEIGHT = 100;
const BAR_WIDTH = 2.4;

/** The bars as one path in a box of `count * BAR_STEP` by `HEIGHT`. */
export function pathOf(bars: readonly number[]): string {
  return bars
    .map((bar, n) => {
      const height = bar * HEIGHT;
      const x = n * BAR_STEP + (BAR_STEP - BAR_WIDTH) / 2;
      return `M${x.toFixed(1)} ${((HEIGHT - height) / 2).toFixed(1)}h${BAR_WIDTH}v${height.toFixed(1)}h-${BAR_WIDTH}z`;
    })
    .join('');
}
