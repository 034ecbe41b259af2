/** One part of a whole over time; `values` has one number for each step. */
export interface Series {
  name: string;
  values: number[];
}

interface Row {
  group: string | null;
  cost: { nanos: number };
}

const REST = 'Others';

/** The parts beside what is left of the whole, when they do not make all of it. */
export function partsOf(
  whole: readonly Row[],
  parts: readonly { name: string; rows: readonly Row[] }[],
): Series[] {
  const series = parts.map(({ name, rows }) => ({ name, values: aligned(whole, rows) }));
  const rest = whole.map((row, at) =>
    Math.max(
      0,
      series.reduce((left, one) => left - (one.values[at] ?? 0), row.cost.nanos),
    ),
  );
  const all = rest.some((value) => value > 0) ? [...series, { name: REST, values: rest }] : series;
  return all.filter((one) => one.values.some((value) => value > 0));
}

function aligned(whole: readonly Row[], rows: readonly Row[]): number[] {
  const known = new Map(rows.map((row) => [row.group, row.cost.nanos]));
  return whole.map((row) => known.get(row.group) ?? 0);
}

export function totalAt(series: readonly Series[], at: number): number {
  return series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0);
}
