import { useOverview } from '@/api/overview';
import { size } from '@/ui/bytes';
import { ErrorCard } from '@/ui/ErrorCard';
import { Meter } from '@/ui/Meter';
import { dollars } from '@/ui/money';
import { Skeleton } from '@/ui/Skeleton';
import { Time } from '@/ui/Time';
import styles from './PlanSection.module.css';
import { Section } from './Section';

/** What the plan includes, and how much of it is used. */
export function PlanSection() {
  const { data, error, refetch } = useOverview();
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={140} />;
  const { plan, storage } = data;
  const limits = [
    plan.max_running !== null && `${plan.max_running} at the same time`,
    plan.requests_per_minute !== null && `${plan.requests_per_minute} requests a minute`,
    plan.storage_bytes !== null && `${size(plan.storage_bytes)} of room`,
  ].filter(Boolean);
  return (
    <Section
      title={`Plan: ${plan.label}`}
      about={limits.length > 0 ? `Includes ${limits.join(', ')}.` : 'Nothing is limited by it.'}
    >
      <ul className={styles.quotas}>
        {plan.usage.map((one) => (
          <li key={`${one.feature}-${one.period}`} className={styles.quota}>
            <span>{sentence(one.feature)}</span>
            <span className={styles.faint}>
              {one.used.toLocaleString('en')} of {one.limit.toLocaleString('en')} {EACH[one.period]}
              {one.resets_at && (
                <>
                  , begins again <Time at={one.resets_at} />
                </>
              )}
            </span>
            <Meter
              label={sentence(one.feature)}
              used={one.used}
              limit={one.limit}
              text={`${one.used} of ${one.limit}`}
            />
          </li>
        ))}
        {storage.limit_bytes !== null && (
          <li className={styles.quota}>
            <span>Room</span>
            <span className={styles.faint}>
              {size(storage.used_bytes)} of {size(storage.limit_bytes)}
            </span>
            <Meter
              label="Room"
              used={storage.used_bytes}
              limit={storage.limit_bytes}
              text={`${size(storage.used_bytes)} of ${size(storage.limit_bytes)}`}
            />
          </li>
        )}
      </ul>
      {data.budget_left && <p>{dollars(data.budget_left.nanos)} of the tightest budget is left.</p>}
    </Section>
  );
}

const EACH = {
  day: 'a day',
  week: 'a week',
  month: 'a month',
  total: 'in all',
  live: 'at a time',
} as const;

function sentence(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
