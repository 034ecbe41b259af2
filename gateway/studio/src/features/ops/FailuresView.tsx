import { useNavigate, useSearch } from '@tanstack/react-router';
import { CircleCheck } from 'lucide-react';
import { keys } from '@/api/keys';
import { fetchFailures } from '@/api/ops';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Select } from '@/ui/Select';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { FailureCard } from './FailureCard';
import styles from './FailuresView.module.css';
import { Looking } from './Looking';
import { Updated } from './Updated';
import { useWatched } from './watched';

const TIMES = [
  { value: '1', label: 'Last day' },
  { value: '7', label: 'Last 7 days' },
  { value: '30', label: 'Last 30 days' },
  { value: '90', label: 'Last 90 days' },
];

const USUAL = '7';

/** How far back an address means to look; the usual for what is no choice. */
function readDays(raw: { days?: unknown }): string {
  return TIMES.find(({ value }) => value === String(raw.days))?.value ?? USUAL;
}

/** What failed and was neither tried again nor set aside, one card for each cause. */
export function FailuresView() {
  const days = readDays(useSearch({ strict: false }));
  const navigate = useNavigate();
  const setDays = (next: string) =>
    void navigate({ to: '/ops/failures', search: { days: next } as never, replace: true });
  const query = useWatched([...keys.ops('failures'), days], () => fetchFailures(Number(days)));
  return (
    <View
      title="Failures"
      actions={
        <>
          <Updated query={query} />
          <Select
            aria-label="Time"
            value={days}
            options={TIMES}
            onChange={setDays}
            className={styles.select}
          />
        </>
      }
    >
      <Looking />
      {query.error && !query.data && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && (
        <>
          <Loading label="Loading failures" />
          <Skeleton height={148} />
        </>
      )}
      {query.data?.length === 0 && (
        <EmptyState icon={<CircleCheck />} title="No failures to see to">
          What fails shows up here, grouped by its cause, until it is tried again or set aside.
        </EmptyState>
      )}
      <ul className={styles.list} aria-label="Causes">
        {query.data?.map((failure) => (
          <li key={failure.fingerprint}>
            <FailureCard failure={failure} />
          </li>
        ))}
      </ul>
    </View>
  );
}
