import { lazy, Suspense, useState } from 'react';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Skeleton } from '@/ui/Skeleton';
import { Table } from '@/ui/Table';
import styles from './ChartCard.module.css';
import type { ChartProps } from './StackedChart';
import { totalAt } from './series';

const StackedChart = lazy(() => import('./StackedChart'));

/** A chart, or the same in a table; `loading` keeps its place. */
export function ChartCard({ loading, ...chart }: ChartProps & { loading: boolean }) {
  const [asTable, setAsTable] = useState(false);
  const nothing = chart.series.length === 0;
  return (
    <Card
      title={chart.title}
      actions={
        !loading &&
        !nothing && (
          <Button look="quiet" size="sm" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? 'As a chart' : 'As a table'}
          </Button>
        )
      }
    >
      {loading ? (
        <Skeleton height={297} />
      ) : nothing ? (
        <p className={styles.nothing}>Nothing in these days.</p>
      ) : asTable ? (
        <Numbers {...chart} />
      ) : (
        <Suspense fallback={<Skeleton height={297} />}>
          <StackedChart {...chart} />
        </Suspense>
      )}
    </Card>
  );
}

function Numbers({ title, labels, series, format }: ChartProps) {
  const rows = labels.map((label, at) => ({ label, at }));
  const columns = [
    { title: 'When', cell: (row: { label: string }) => row.label },
    ...series.map((one) => ({
      title: one.name,
      numeric: true,
      cell: (row: { at: number }) => format(one.values[row.at] ?? 0),
    })),
    { title: 'In all', numeric: true, cell: (row: { at: number }) => format(totalAt(series, row.at)) },
  ];
  return (
    <div className={styles.table}>
      <Table caption={title} columns={columns} rows={rows} keyOf={(row) => row.at} />
    </div>
  );
}
