import { Table } from '@/ui/Table';
import styles from './ThroughputTable.module.css';
import type { Series } from './throughput';

interface Props {
  start: string;
  series: readonly Series[];
  accepted: readonly number[];
}

const MINUTE_MS = 60_000;

/** The chart in numbers, the latest minute first; minutes in which nothing happened are left out. */
export function ThroughputTable({ start, series, accepted }: Props) {
  const rows = accepted
    .map((count, at) => ({ at, count, ends: series.map((one) => one.values[at] ?? 0) }))
    .filter((row) => row.count > 0 || row.ends.some((end) => end > 0))
    .reverse();
  if (rows.length === 0) return <p className={styles.nothing}>Nothing came in or ended in this time.</p>;
  const columns = [
    { title: 'Minute', cell: (row: { at: number }) => clock(start, row.at) },
    { title: 'Accepted', numeric: true, cell: (row: { count: number }) => row.count },
    ...series.map((one, index) => ({
      title: one.name,
      numeric: true,
      cell: (row: { ends: number[] }) => row.ends[index],
    })),
  ];
  return (
    <div className={styles.table}>
      <Table caption="Throughput by minute" columns={columns} rows={rows} keyOf={(row) => row.at} />
    </div>
  );
}

function clock(start: string, minutes: number): string {
  const at = new Date(Date.parse(start) + minutes * MINUTE_MS);
  return at.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
}
