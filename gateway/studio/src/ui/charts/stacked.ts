/**
 * Sums of parts, the tallest first: each later one is drawn over it, so that what stays in sight is its own part. The
 * first part is the last, and lies at the bottom.
 */
export function stacked(parts: readonly { values: readonly number[] }[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of parts) {
    const below = sums[0];
    sums.unshift(values.map((value, at) => value + (below?.[at] ?? 0)));
  }
  return sums;
}
