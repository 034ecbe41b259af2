import type { OpsJobDetail } from '@/api/ops';
import { Badge, type Tone } from '@/ui/Badge';
import { Json } from './Json';
import styles from './Timeline.module.css';
import { plain, span } from './words';

type Event = OpsJobDetail['events'][number];

const TONES: Readonly<Record<string, Tone>> = {
  completed: 'good',
  failed: 'bad',
  expired: 'warn',
  canceled: 'warn',
  retrying: 'warn',
};

/** Every change of the job in order, with how long after the one before it came. */
export function Timeline({ events }: { events: readonly Event[] }) {
  return (
    <ol className={styles.timeline}>
      {events.map((event, index) => {
        const word = event.type.replace('generation.', '');
        const before = events[index - 1];
        return (
          <li key={event.seq}>
            <div className={styles.line}>
              <Badge tone={TONES[word] ?? 'plain'}>{plain(word)}</Badge>
              <span>{about(event)}</span>
              <time dateTime={event.at} title={before && `${gap(before, event)} after the one before`}>
                {clock(event.at)}
                {before && ` (+${gap(before, event)})`}
              </time>
            </div>
            <details>
              <summary>Details</summary>
              <Json value={event.data} />
            </details>
          </li>
        );
      })}
    </ol>
  );
}

function gap(before: Event, event: Event): string {
  return span(Math.max(0, (Date.parse(event.at) - Date.parse(before.at)) / 1000));
}

function clock(at: string): string {
  return new Date(at).toLocaleTimeString('en', { hour12: false });
}

function about({ data }: Event): string {
  const error = data.error as { code?: string; message?: string } | null | undefined;
  if (error?.message) return error.message;
  const provider = typeof data.provider === 'string' ? `at ${data.provider}` : '';
  const stage = typeof data.stage === 'string' ? plain(data.stage).toLowerCase() : '';
  return provider || stage;
}
