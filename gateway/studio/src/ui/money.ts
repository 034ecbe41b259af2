const NANOS = 1_000_000_000;

/** Nano-dollars as people read them: cents, and more places for what costs less than a dime. */
export function dollars(nanos: number): string {
  const amount = nanos / NANOS;
  const size = Math.abs(amount);
  const places = size === 0 || size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6;
  return amount.toLocaleString('en-US', {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: places,
  });
}

/** To the last nano. */
export function exactDollars(nanos: number): string {
  const whole = BigInt(Math.trunc(nanos));
  const sign = whole < 0n ? '-' : '';
  const size = whole < 0n ? -whole : whole;
  const rest = (size % 1_000_000_000n).toString().padStart(9, '0');
  return `${sign}$${size / 1_000_000_000n}.${rest}`;
}

/** With all its places and no more: `$0.039`. */
export function exactAmount(nanos: number): string {
  return exactDollars(nanos).replace(/(\.\d\d\d*?)0+$/, '$1');
}
