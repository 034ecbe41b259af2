import { type Asked, type ProviderRow, useComparison } from '@/api/analytics';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { Money } from '@/ui/Money';
import { dollars } from '@/ui/money';
import { Skeleton } from '@/ui/Skeleton';
import { type Column, Table } from '@/ui/Table';
import { length } from '@/ui/time';
import { Share } from './Share';

/** Providers side by side: how often they succeed, how long they take, what one result costs. */
export function Comparison({ asked }: { asked: Asked }) {
  const { data, error, refetch } = useComparison(asked);
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  return (
    <Card title="Providers compared">
      {!data ? (
        <Skeleton height={160} />
      ) : data.rows.length === 0 ? (
        <p>No provider was called in these days.</p>
      ) : (
        <Table
          caption="Providers compared"
          columns={columnsOf(data.rows)}
          rows={data.rows}
          keyOf={(row) => row.provider}
        />
      )}
    </Card>
  );
}

function columnsOf(rows: readonly ProviderRow[]): Column<ProviderRow>[] {
  const slowest = Math.max(0, ...rows.map((row) => row.run_time.p95_ms ?? 0));
  const dearest = Math.max(0, ...rows.map((row) => row.cost_per_output?.nanos ?? 0));
  return [
    { title: 'Provider', cell: (row) => row.provider },
    { title: 'Calls', numeric: true, cell: (row) => row.call_count.toLocaleString('en') },
    {
      title: 'Success',
      numeric: true,
      cell: (row) =>
        row.success_rate === null ? (
          '–'
        ) : (
          <Share value={row.success_rate} most={1} text={`${(row.success_rate * 100).toFixed(1)} %`} />
        ),
    },
    { title: 'Median', numeric: true, cell: (row) => time(row.run_time.p50_ms) },
    {
      title: '95 of 100 within',
      numeric: true,
      cell: (row) =>
        row.run_time.p95_ms === null ? (
          '–'
        ) : (
          <Share value={row.run_time.p95_ms} most={slowest} text={time(row.run_time.p95_ms)} />
        ),
    },
    {
      title: 'Cost of one result',
      numeric: true,
      cell: (row) =>
        row.cost_per_output === null ? (
          '–'
        ) : (
          <Share value={row.cost_per_output.nanos} most={dearest} text={dollars(row.cost_per_output.nanos)} />
        ),
    },
    { title: 'Cost', numeric: true, cell: (row) => <Money nanos={row.cost.nanos} /> },
  ];
}

function time(ms: number | null): string {
  return ms === null ? '–' : length(ms / 1000);
}
