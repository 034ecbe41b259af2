import { useCallback, useMemo } from 'react';
import type uPlot from 'uplot';
import styles from '@/ui/charts/Chart.module.css';
import { Legend } from '@/ui/charts/Legend';
import { axisOf, barsOf, type Drawn, type Token, usePlot } from '@/ui/charts/plot';
import { stacked } from '@/ui/charts/stacked';
import type { Series } from './throughput';

interface Props {
  start: string;
  stepS: number;
  series: readonly Series[];
  accepted: readonly number[];
}

const HEIGHT = 220;
const ACCEPTED = { name: 'Accepted', colour: '--ink-soft', isLine: true };

/** Bars of what ended, on top of each other, and a line of what was accepted. Figures change without a new drawing. */
export default function ThroughputChart({ start, stepS, series, accepted }: Props) {
  const data = useMemo(() => dataOf(start, stepS, series, accepted), [start, stepS, series, accepted]);
  const colours = series.map((one) => one.colour).join();
  const drawn = useCallback((token: Token) => optionsOf(token, colours), [colours]);
  const { place, at } = usePlot(HEIGHT, data, drawn);
  return (
    <div className={styles.chart}>
      <p className={styles.told}>{told(at, start, stepS, series, accepted)}</p>
      <div ref={place} className={styles.place} style={{ minHeight: HEIGHT }} aria-hidden="true" />
      <Legend entries={[ACCEPTED, ...series]} />
    </div>
  );
}

/** The minute under the pointer, or all of them. */
function told(
  at: number | null,
  start: string,
  stepS: number,
  series: readonly Series[],
  accepted: readonly number[],
): string {
  const pick = (values: readonly number[]) =>
    at === null ? values.reduce((sum, value) => sum + value, 0) : (values[at] ?? 0);
  const when =
    at === null
      ? `In ${accepted.length} minutes`
      : new Date(Date.parse(start) + at * stepS * 1000).toLocaleTimeString('en', {
          hour: '2-digit',
          minute: '2-digit',
          hour12: false,
        });
  const parts = series.filter((one) => pick(one.values) > 0);
  const ends = parts.map((one) => `${pick(one.values)} ${one.name.toLowerCase()}`);
  return `${when}: ${[`${pick(accepted)} accepted`, ...ends].join(', ')}`;
}

function dataOf(
  start: string,
  stepS: number,
  series: readonly Series[],
  accepted: readonly number[],
): uPlot.AlignedData {
  const from = Date.parse(start) / 1000;
  const times = accepted.map((_, at) => from + at * stepS);
  return [times, ...stacked(series), [...accepted]];
}

function optionsOf(token: Token, colours: string): Drawn {
  const axis = axisOf(token);
  const bars = colours
    .split(',')
    .filter(Boolean)
    .map((colour) => barsOf(token(colour), { size: [0.7, 24] }));
  const line = { stroke: token(ACCEPTED.colour), width: 1.5, points: { show: false } };
  return {
    scales: { y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, space: 72, values: '{HH}:{mm}' },
      {
        ...axis,
        size: 40,
        grid: { stroke: token('--line'), width: 1 },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000],
      },
    ],
    series: [{}, ...bars.reverse(), line],
  };
}
