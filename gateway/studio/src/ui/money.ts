import { grouped } from './digits';

const NANOS = 1_000_000_000;

/** Nano-dollars as people read them: cents, and more places for what costs less than a dime. */
export function dollars(nanos: number): string {
  const size = Math.abs(nanos) / NANOS;
  const places = size === 0 || size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6;
  const [whole = '', rest = ''] = size.toFixed(places).split('.');
  const cents = rest.slice(0, 2) + rest.slice(2).replace(/0+$/, '');
  return `${nanos < 0 ? '-' : ''}$${grouped(whole)}.${cents}`;
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
