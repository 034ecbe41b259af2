export type Line<T> = { day: string } | { row: T };

/** The rows with a heading before each day's first. */
export function byDay<T>(rows: readonly T[], at: (row: T) => string, now = new Date()): Line<T>[] {
  const lines: Line<T>[] = [];
  let before: string | null = null;
  for (const row of rows) {
    const day = nameOf(new Date(at(row)), now);
    if (day !== before) lines.push({ day });
    before = day;
    lines.push({ row });
  }
  return lines;
}

function nameOf(day: Date, now: Date): string {
  const ago = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (ago === 0) return 'Today';
  if (ago === 1) return 'Yesterday';
  const thisYear = day.getFullYear() === now.getFullYear();
  return day.toLocaleDateString('en', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!thisYear && { year: 'numeric' }),
  });
}

function midnight(day: Date): number {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}
