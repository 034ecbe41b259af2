import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { usePainted } from '@/app/theme';
import styles from './ThroughputChart.module.css';
import { type Series, stacked } from './throughput';

interface Props {
  start: string;
  stepS: number;
  series: readonly Series[];
  accepted: readonly number[];
}

const HEIGHT = 220;
const FONT = '12px system-ui, sans-serif';

/** Bars of what ended, on top of each other, and a line of what was accepted. Figures change without a new drawing. */
export default function ThroughputChart({ start, stepS, series, accepted }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = usePainted();
  const data = useMemo(() => dataOf(start, stepS, series, accepted), [start, stepS, series, accepted]);
  const latest = useRef(data);
  latest.current = data;
  const names = series.map((one) => `${one.name}:${one.colour}`).join();

  useEffect(() => {
    const box = place.current;
    if (!box || !theme) return;
    const made = new uPlot(optionsOf(box, names, setAt), latest.current, box);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, theme]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return (
    <div>
      <p className={styles.told}>{told(at, start, stepS, series, accepted)}</p>
      <div ref={place} className={styles.place} aria-hidden="true" />
      <ul className={styles.legend}>
        <li>
          <span className={styles.line} aria-hidden="true" />
          Accepted
        </li>
        {series.map((one) => (
          <li key={one.name}>
            <span className={styles.swatch} style={{ background: `var(${one.colour})` }} aria-hidden="true" />
            {one.name}
          </li>
        ))}
      </ul>
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

/** The tallest sum first: each later one is drawn over it, so that what stays in sight is its part. */
function dataOf(
  start: string,
  stepS: number,
  series: readonly Series[],
  accepted: readonly number[],
): uPlot.AlignedData {
  const from = Date.parse(start) / 1000;
  const times = accepted.map((_, at) => from + at * stepS);
  return [times, ...stacked(series).reverse(), [...accepted]];
}

function optionsOf(box: HTMLElement, names: string, onAt: (at: number | null) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: token('--ink-faint'), font: FONT, ticks: { show: false } };
  const bars = uPlot.paths.bars?.({ size: [0.7, 24] });
  const parts = names
    .split(',')
    .filter(Boolean)
    .map((name) => ({
      fill: token(name.slice(name.indexOf(':') + 1)),
      width: 0,
      points: { show: false },
      ...(bars && { paths: bars }),
    }))
    .reverse();
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
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
    series: [{}, ...parts, { stroke: token('--ink-soft'), width: 1.5, points: { show: false } }],
    hooks: { setCursor: [(made) => onAt(made.cursor.idx ?? null)] },
  };
}
