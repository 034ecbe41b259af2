const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** 1.4 MB: in powers of 1,000, to two digits at least. */
export function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
