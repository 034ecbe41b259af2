const FIRST_MS = 500;
const MOST_MS = 15_000;

/** How long to wait before the nth attempt in a row (from 0): doubling, with full jitter. */
export function waitMs(attempt: number, random: () => number = Math.random): number {
  return Math.round(random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt));
}
