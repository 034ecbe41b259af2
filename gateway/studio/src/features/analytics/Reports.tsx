import { Link } from '@tanstack/react-router';
import { ChartColumn } from 'lucide-react';
import { useMemo } from 'react';
import { useUsage } from '@/api/analytics';
import { useMe } from '@/api/me';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { dollars, exactDollars } from '@/ui/money';
import { Breakdown } from './Breakdown';
import { ChartCard } from './ChartCard';
import { Comparison } from './Comparison';
import { Filters } from './Filters';
import { ForecastCard } from './ForecastCard';
import { useCostParts } from './parts';
import styles from './Reports.module.css';
import { type ReportSearch, rangeOf, stepLabel, stepOf, today } from './range';

interface Props {
  /** Of one project; else of the account. */
  project?: string;
  search: ReportSearch;
  onSearch: (search: ReportSearch) => void;
}

/** Everything that is counted, for the days and the split that the address names. */
export function Reports({ project, search, onSearch }: Props) {
  const timezone = useMe().data?.timezone ?? 'UTC';
  const now = today(timezone);
  const range = rangeOf(search, now);
  const step = stepOf(search, range);
  const by = project && search.by === 'project' ? 'provider' : (search.by ?? 'provider');
  const asked = { from: range.from, to: range.to, ...(project && { project }) };
  const cost = useCostParts(asked, step, by);
  const requests = useRequests(asked, step);
  const labels = useMemo(
    () => (cost.steps ?? []).map((row) => stepLabel(row.group ?? '', step)),
    [cost.steps, step],
  );
  const empty = requests.total?.request_count === 0 && cost.total?.cost.nanos === 0;
  return (
    <div className={styles.reports}>
      <Filters
        range={range}
        step={step}
        by={by}
        now={now}
        asked={asked}
        inProject={project !== undefined}
        onSearch={(change) => onSearch({ ...search, ...change })}
      />
      {cost.error && <ErrorCard error={cost.error} onRetry={cost.retry} />}
      {requests.error && <ErrorCard error={requests.error} onRetry={requests.retry} />}
      {empty ? (
        <EmptyState icon={<ChartColumn />} title="Nothing to count in these days">
          What is generated is counted on the day on which it was asked for. Choose other days, or make
          something.
        </EmptyState>
      ) : (
        <>
          <div className={styles.pair}>
            <ChartCard
              title={`Cost by ${by}`}
              labels={labels}
              series={cost.series}
              format={exactly}
              formatAxis={dollars}
              formatSum={dollars}
              loading={cost.loading}
            />
            <ForecastCard project={project} />
          </div>
          <ChartCard
            title="Requests and what came of them"
            labels={requests.labels}
            series={requests.series}
            format={whole}
            loading={requests.loading}
          />
          <Comparison asked={asked} />
          <Breakdown asked={asked} by={by} />
        </>
      )}
      <p className={styles.zone}>
        Days are those of {cost.timezone ?? timezone}.{' '}
        <Link to="/studio/settings/$tab" params={{ tab: 'profile' }}>
          Change the time zone
        </Link>
      </p>
    </div>
  );
}

const OUTCOMES = [
  { name: 'Made', of: 'success_count' },
  { name: 'Failed', of: 'failure_count' },
  { name: 'Canceled', of: 'canceled_count' },
  { name: 'Not ended', of: 'open_count' },
] as const;

function useRequests(asked: { from: string; to: string; project?: string }, step: 'day' | 'week' | 'month') {
  const { data, error, isPending, refetch } = useUsage({ ...asked, group_by: step });
  return useMemo(() => {
    const rows = data?.rows ?? [];
    const series = OUTCOMES.map(({ name, of }) => ({ name, values: rows.map((row) => row[of]) }));
    return {
      labels: rows.map((row) => stepLabel(row.group ?? '', step)),
      series: series.filter((one) => one.values.some((value) => value > 0)),
      total: data?.total,
      loading: isPending,
      error,
      retry: () => void refetch(),
    };
  }, [data, error, isPending, refetch, step]);
}

/** To the nano where cents would hide something. */
function exactly(nanos: number): string {
  return nanos % 10_000_000 === 0 ? dollars(nanos) : exactDollars(nanos).replace(/0+$/, '');
}

function whole(count: number): string {
  return Number.isInteger(count) ? count.toLocaleString('en') : '';
}
