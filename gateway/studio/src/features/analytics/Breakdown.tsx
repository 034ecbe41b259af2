import { type Asked, type UsageRow, useUsage } from '@/api/analytics';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { dollars } from '@/ui/money';
import { Skeleton } from '@/ui/Skeleton';
import { type Column, Table } from '@/ui/Table';
import { length } from '@/ui/time';
import type { By } from './range';
import { Share } from './Share';

const NONE: Record<By, string> = {
  provider: 'No provider',
  model: 'No model',
  kind: 'No kind',
  project: 'In no project',
};

/** What was asked for and what came of it, by one property. */
export function Breakdown({ asked, by }: { asked: Asked; by: By }) {
  const { data, error, refetch } = useUsage({ ...asked, group_by: by });
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  return (
    <Card title={`Usage by ${by}`}>
      {!data ? (
        <Skeleton height={160} />
      ) : data.rows.length === 0 ? (
        <p>Nothing was asked for in these days.</p>
      ) : (
        <Table
          caption={`Usage by ${by}`}
          columns={columnsOf(data.rows, by)}
          rows={data.rows}
          keyOf={(row) => row.group ?? ''}
        />
      )}
    </Card>
  );
}

function columnsOf(rows: readonly UsageRow[], by: By): Column<UsageRow>[] {
  const dearest = Math.max(0, ...rows.map((row) => row.cost.nanos));
  const count = (title: string, of: (row: UsageRow) => number): Column<UsageRow> => ({
    title,
    numeric: true,
    cell: (row) => of(row).toLocaleString('en'),
  });
  return [
    { title: by === 'kind' ? 'Kind' : by === 'project' ? 'Project' : 'Name', cell: (row) => nameOf(row, by) },
    count('Asked for', (row) => row.request_count),
    count('Made', (row) => row.success_count),
    count('Failed', (row) => row.failure_count),
    count('Canceled', (row) => row.canceled_count),
    {
      title: 'Usual time',
      numeric: true,
      cell: (row) => (row.avg_duration_ms === null ? '–' : length(row.avg_duration_ms / 1000)),
    },
    {
      title: 'Cost',
      numeric: true,
      cell: (row) => <Share value={row.cost.nanos} most={dearest} text={dollars(row.cost.nanos)} />,
    },
  ];
}

function nameOf(row: UsageRow, by: By): string {
  return row.label ?? row.group ?? NONE[by];
}
