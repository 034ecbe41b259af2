/** A tile's place in its row, in CSS pixels. */
export interface Placed {
  index: number;
  left: number;
  width: number;
}

export interface Row {
  top: number;
  height: number;
  tiles: readonly Placed[];
}

/** Between tiles, in CSS pixels. */
export const GAP = 8;
const WIDEST = 2.4;
const NARROWEST = 0.6;

/**
 * Rows that fill the width, each as high as its tiles' shapes ask, near a wished height. The last row keeps the wished
 * height, so that a next page fills it up without moving what is above.
 */
export function rowsOf(shapes: readonly number[], width: number, wished: number, gap: number): Row[] {
  const rows: Row[] = [];
  let top = 0;
  let from = 0;
  let sum = 0;
  const close = (to: number, height: number) => {
    rows.push({ top, height, tiles: placed(shapes, from, to, height, gap) });
    top += height + gap;
    from = to;
    sum = 0;
  };
  for (const [index, shape] of shapes.entries()) {
    sum += bounded(shape);
    const count = index + 1 - from;
    const height = (width - gap * (count - 1)) / sum;
    if (height <= wished) close(index + 1, height);
  }
  if (from < shapes.length) close(shapes.length, wished);
  return rows;
}

/** How high rows are to be in a grid of that width. */
export function wishedHeight(width: number): number {
  return width < 480 ? 150 : width < 900 ? 190 : 224;
}

export function heightOf(rows: readonly Row[]): number {
  const last = rows.at(-1);
  return last ? last.top + last.height : 0;
}

function placed(shapes: readonly number[], from: number, to: number, height: number, gap: number): Placed[] {
  let left = 0;
  return shapes.slice(from, to).map((shape, n) => {
    const tile = { index: from + n, left, width: bounded(shape) * height };
    left += tile.width + gap;
    return tile;
  });
}

function bounded(shape: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, shape));
}

/** The tile that an arrow key leads to: the next one, or the nearest of the row above or below. */
export function neighbour(rows: readonly Row[], index: number, key: string): number | null {
  const last = (rows.at(-1)?.tiles.at(-1)?.index ?? -1) as number;
  if (key === 'ArrowLeft') return index > 0 ? index - 1 : null;
  if (key === 'ArrowRight') return index < last ? index + 1 : null;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
  const at = rows.findIndex((row) => row.tiles.some((tile) => tile.index === index));
  const tile = rows[at]?.tiles.find((one) => one.index === index);
  const next = step ? rows[at + step] : undefined;
  if (!tile || !next) return null;
  const middle = tile.left + tile.width / 2;
  const far = (one: Placed) => Math.abs(one.left + one.width / 2 - middle);
  return next.tiles.reduce((best, one) => (far(one) < far(best) ? one : best)).index;
}
