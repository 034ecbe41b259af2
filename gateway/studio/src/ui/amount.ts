const NANOS_PER_DOLLAR = 1_000_000_000n;
const WRITTEN = /^\$?\s*(\d{0,9})(?:[.,](\d{0,9}))?$/;

/** Nano-dollars of an amount as people write it: "12", "$0.5", "3,20"; null when it is none. */
export function nanosOf(written: string): number | null {
  const found = WRITTEN.exec(written.trim());
  if (!found || !(found[1] || found[2])) return null;
  const rest = (found[2] ?? '').padEnd(9, '0');
  return Number(BigInt(found[1] || '0') * NANOS_PER_DOLLAR + BigInt(rest));
}

/** As it stands in a field: without a sign, and with cents. */
export function writtenAmount(nanos: number): string {
  const whole = BigInt(Math.trunc(nanos));
  const places = (whole % NANOS_PER_DOLLAR).toString().padStart(9, '0').replace(/0+$/, '').padEnd(2, '0');
  return `${whole / NANOS_PER_DOLLAR}.${places}`;
}
