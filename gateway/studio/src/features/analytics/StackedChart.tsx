import { type KeyboardEvent, useCallback, useMemo, useRef, useState } from 'react';
import type uPlot from 'uplot';
import styles from '@/ui/charts/Chart.module.css';
import { Legend } from '@/ui/charts/Legend';
import { axisOf, barsOf, type Drawn, type Token, usePlot } from '@/ui/charts/plot';
import { stacked } from '@/ui/charts/stacked';
import { type Series, totalAt } from './series';

export interface ChartProps {
  title: string;
  labels: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
  /** Shorter, for the axis. */
  formatAxis?: (value: number) => string;
  /** The sum of them all; as people say it, where each value is exact. */
  formatSum?: (value: number) => string;
}

const HEIGHT = 240;
const COLOURS = 6;

/** Bars on top of each other. What is under the pointer, or chosen with the arrow keys, is told above in numbers. */
export default function StackedChart(props: ChartProps) {
  const { title, labels, series, format, formatAxis = format, formatSum = format } = props;
  const [moved, setMoved] = useState(false);
  const data = useMemo(() => dataOf(labels.length, series), [labels, series]);
  const formatted = useRef(formatAxis);
  formatted.current = formatAxis;
  const drawn = useCallback(
    (token: Token) => optionsOf(token, labels, series, (value) => formatted.current(value)),
    [labels, series],
  );
  const { place, plot, at, setAt } = usePlot(HEIGHT, data, drawn);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepped(event.key, at, labels.length);
    if (next === null) return;
    event.preventDefault();
    setMoved(true);
    const left = plot.current?.valToPos(next, 'x') ?? -10;
    plot.current?.setCursor({ left, top: 10 });
    setAt(next);
  };
  return (
    <div className={styles.chart}>
      <p className={styles.told} aria-live={moved ? 'polite' : 'off'}>
        {told(at, labels, series, format, formatSum)}
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing that the arrow keys read out */}
      <div
        ref={place}
        role="group"
        aria-label={`${title}: chart. Arrow keys read out the values.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what the arrow keys move in must take the focus
        tabIndex={0}
        className={styles.place}
        style={{ minHeight: HEIGHT }}
        onKeyDown={onKeyDown}
        onBlur={() => setMoved(false)}
      />
      <Legend entries={series.map(({ name }, index) => ({ name, colour: colour(index) }))} />
    </div>
  );
}

function stepped(key: string, at: number | null, count: number): number | null {
  if (count === 0) return null;
  const last = count - 1;
  const moves: Record<string, number> = {
    ArrowRight: at === null ? 0 : Math.min(last, at + 1),
    ArrowLeft: at === null ? last : Math.max(0, at - 1),
    Home: 0,
    End: last,
  };
  return moves[key] ?? null;
}

function told(
  at: number | null,
  labels: readonly string[],
  series: readonly Series[],
  format: (value: number) => string,
  formatSum: (value: number) => string,
): string {
  if (at === null || labels[at] === undefined) {
    const sum = labels.reduce((all, _, index) => all + totalAt(series, index), 0);
    return `${formatSum(sum)} in all`;
  }
  const parts = series.filter((one) => (one.values[at] ?? 0) > 0);
  const more = parts.length > 1 || series.length > 1;
  const detail = parts.map((one) => `${one.name} ${format(one.values[at] ?? 0)}`).join(' · ');
  return `${labels[at]}: ${format(totalAt(series, at))}${more && detail ? ` (${detail})` : ''}`;
}

function colour(index: number): string {
  return `--series-${(index % COLOURS) + 1}`;
}

function dataOf(count: number, series: readonly Series[]): uPlot.AlignedData {
  return [Array.from({ length: count }, (_, index) => index), ...stacked(series)];
}

function optionsOf(
  token: Token,
  labels: readonly string[],
  series: readonly Series[],
  formatAxis: (value: number) => string,
): Drawn {
  const axis = { ...axisOf(token), grid: { stroke: token('--line'), width: 1 } };
  const parts = series.map((one, index) => ({
    label: one.name,
    ...barsOf(token(colour(index)), { size: [0.72, 44], radius: 0.12 }),
  }));
  return {
    scales: {
      x: { time: false, range: [-0.6, Math.max(0.6, labels.length - 0.4)] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 64,
        incrs: [1, 2, 5, 7, 10, 14, 28, 50, 100],
        values: (_, splits) => splits.map((split) => (Number.isInteger(split) ? (labels[split] ?? '') : '')),
      },
      { ...axis, size: 64, values: (_, splits) => splits.map(formatAxis) },
    ],
    series: [{}, ...parts.reverse()],
  };
}
