const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 0 B, 340 kB, 1.5 GB: in thousands, as disks are sold. */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** power;
  const places = power > 0 && amount < 10 ? 1 : 0;
  return `${amount.toFixed(places)} ${UNITS[power]}`;
}
