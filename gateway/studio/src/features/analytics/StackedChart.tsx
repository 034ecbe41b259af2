import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { usePainted } from '@/app/theme';
import styles from './StackedChart.module.css';
import { type Series, stacked, totalAt } from './series';

export interface ChartProps {
  title: string;
  labels: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
  /** Shorter, for the axis. */
  formatAxis?: (value: number) => string;
}

const HEIGHT = 240;
const COLOURS = 6;
const AXIS_FONT = '12px system-ui, sans-serif';

/** Bars on top of each other. What is under the pointer, or chosen with the arrow keys, is told above in numbers. */
export default function StackedChart({ title, labels, series, format, formatAxis = format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = usePainted();
  const [moved, setMoved] = useState(false);
  const data = useMemo(() => dataOf(labels.length, series), [labels, series]);
  const formatted = useRef(formatAxis);
  formatted.current = formatAxis;

  useEffect(() => {
    const box = place.current;
    if (!box || !theme) return;
    const made = new uPlot(
      optionsOf(box, labels, series, (value) => formatted.current(value), setAt),
      data,
      box,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [labels, series, data, theme]);

  const onKeyDown = (event: React.KeyboardEvent) => {
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
        {told(at, labels, series, format)}
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing that the arrow keys read out */}
      <div
        ref={place}
        role="group"
        aria-label={`${title}: chart. Arrow keys read out the values.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what the arrow keys move in must take the focus
        tabIndex={0}
        className={styles.place}
        onKeyDown={onKeyDown}
        onBlur={() => setMoved(false)}
      />
      <ul className={styles.legend}>
        {series.map((one, index) => (
          <li key={one.name}>
            <span className={styles.swatch} style={{ background: `var(--series-${colour(index)})` }} />
            {one.name}
          </li>
        ))}
      </ul>
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
): string {
  if (at === null || labels[at] === undefined) {
    const sum = labels.reduce((all, _, index) => all + totalAt(series, index), 0);
    return `${format(sum)} in all`;
  }
  const parts = series.filter((one) => (one.values[at] ?? 0) > 0);
  const more = parts.length > 1 || series.length > 1;
  const detail = parts.map((one) => `${one.name} ${format(one.values[at] ?? 0)}`).join(' · ');
  return `${labels[at]}: ${format(totalAt(series, at))}${more && detail ? ` (${detail})` : ''}`;
}

function colour(index: number): number {
  return (index % COLOURS) + 1;
}

/** The tallest sum first: each later one is drawn over it, so that what stays in sight is its part. */
function dataOf(count: number, series: readonly Series[]): uPlot.AlignedData {
  return [Array.from({ length: count }, (_, index) => index), ...stacked(series).reverse()];
}

function optionsOf(
  box: HTMLElement,
  labels: readonly string[],
  series: readonly Series[],
  formatAxis: (value: number) => string,
  onAt: (at: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: token('--ink-faint'),
    font: AXIS_FONT,
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.72, 44], radius: 0.12 });
  const parts = series.map((one, index) => ({
    label: one.name,
    fill: token(`--series-${colour(index)}`),
    width: 0,
    points: { show: false },
    ...(bars && { paths: bars }),
  }));
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
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
    hooks: { setCursor: [(made) => onAt(made.cursor.idx ?? null)] },
  };
}
