import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { usePainted } from '@/app/theme';

/** The value of one of the theme's tokens: a canvas does not follow them by itself. */
export type Token = (name: string) => string;

/** What makes one drawing differ from another. */
export type Drawn = Omit<uPlot.Options, 'width' | 'height'>;

/** What all axes have in common. */
export function axisOf(token: Token) {
  return { stroke: token('--ink-faint'), font: '12px system-ui, sans-serif', ticks: { show: false } };
}

/** Bars without points, of one colour. */
export function barsOf(fill: string, shape: uPlot.Series.BarsPathBuilderOpts): uPlot.Series {
  const paths = uPlot.paths.bars?.(shape);
  return { fill, width: 0, points: { show: false }, ...(paths && { paths }) };
}

/**
 * A drawing as wide as its place. It is made anew when `drawn` is another function or the theme changes; other figures
 * alone are drawn in it. `at` is the step under the pointer.
 */
export function usePlot(height: number, data: uPlot.AlignedData, drawn: (token: Token) => Drawn) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = usePainted();
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const box = place.current;
    if (!box || !theme) return;
    const style = getComputedStyle(document.documentElement);
    const options = {
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      hooks: { setCursor: [(made: uPlot) => setAt(made.cursor.idx ?? null)] },
      ...drawn((name) => style.getPropertyValue(name).trim()),
    };
    const made = new uPlot({ ...options, width: box.clientWidth, height }, latest.current, box);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [drawn, height, theme]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return { place, plot, at, setAt };
}
