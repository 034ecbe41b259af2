import { useNow } from './clock';
import { span } from './words';

/** How long it is until then; exact on hover. */
export function Countdown({ until }: { until: string }) {
  const now = useNow();
  const left = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000));
  const exact = new Date(until).toLocaleString('en', { dateStyle: 'full', timeStyle: 'medium' });
  return (
    <time dateTime={until} title={exact} style={{ fontVariantNumeric: 'tabular-nums' }}>
      {left > 0 ? `${span(left)} left` : 'over'}
    </time>
  );
}
