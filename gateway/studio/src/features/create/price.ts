import type { Estimate } from '@/api/estimates';
import { dollars } from '@/ui/money';

/** What a press will cost, in words: "about $0.04", "$0.04 to $0.06", "Free", or that nobody knows. */
export function priceWords(estimate: Pick<Estimate, 'candidates' | 'estimated'>, times = 1): string {
  const known = estimate.candidates.map((one) => one.estimated?.nanos ?? null);
  if (known.length === 0 || known.every((nanos) => nanos === null)) return 'Price not known';
  const amounts = known.filter((nanos) => nanos !== null).map((nanos) => nanos * times);
  const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
  const own = estimate.candidates[0]?.billed_to === 'byok' ? ', on your own key' : '';
  if (most === 0) return amounts.length === known.length ? `Free${own}` : 'Free, or a price not known';
  const range = least === most ? `about ${dollars(most)}` : `${dollars(least)} to ${dollars(most)}`;
  return `${range}${own}`;
}

/** How long it will take: "about 8 s", "8 to 16 s". */
export function waitWords(estimate: Pick<Estimate, 'candidates'>): string | null {
  const seconds = estimate.candidates.map((one) => one.expected_s);
  if (seconds.length === 0) return null;
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((one) => inWords(one));
  return least === most ? `about ${least}` : `${least} to ${most}`;
}

export function inWords(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}
