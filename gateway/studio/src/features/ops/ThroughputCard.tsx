import { lazy, Suspense, useState } from 'react';
import { keys } from '@/api/keys';
import { fetchThroughput } from '@/api/ops';
import { useIdle } from '@/app/idle';
import { KINDS } from '@/features/create/kinds';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import styles from './ThroughputCard.module.css';
import { ThroughputTable } from './ThroughputTable';
import { acceptedOf, type By, seriesOf } from './throughput';
import { useWatched } from './watched';

const ThroughputChart = lazy(() => import('./ThroughputChart'));
const HEIGHT = 268;
const LENGTHS = [
  { value: '60', label: 'Last hour' },
  { value: '180', label: 'Last 3 hours' },
];
const WAYS = [
  { value: 'outcome', label: 'By outcome' },
  { value: 'kind', label: 'By kind' },
] as const;

/** What came in and what ended, minute by minute. */
export function ThroughputCard() {
  const idle = useIdle();
  const [by, setBy] = useState<By>('outcome');
  const [kind, setKind] = useState('');
  const [minutes, setMinutes] = useState('60');
  const [asTable, setAsTable] = useState(false);
  const query = useWatched([...keys.ops('throughput'), minutes], () => fetchThroughput(Number(minutes)));
  const series = query.data && seriesOf(query.data, by, kind);
  return (
    <Card
      title="Throughput"
      actions={
        <Button look="quiet" size="sm" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          As a table
        </Button>
      }
    >
      <div className={styles.choices}>
        <SegmentedControl label="Split" segments={WAYS} value={by} onChange={setBy} />
        <Select
          aria-label="Kind"
          value={kind}
          onChange={setKind}
          className={styles.select}
          options={[
            { value: '', label: 'All kinds' },
            ...KINDS.map((one) => ({ value: one.name, label: one.label })),
          ]}
        />
        <Select
          aria-label="Time"
          value={minutes}
          onChange={setMinutes}
          className={styles.select}
          options={LENGTHS}
        />
      </div>
      {query.error && !query.data && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && series && asTable && (
        <ThroughputTable start={query.data.start} series={series} accepted={acceptedOf(query.data, kind)} />
      )}
      {!asTable && (
        <Suspense fallback={<Skeleton height={HEIGHT} />}>
          {idle && query.data && series ? (
            <ThroughputChart
              start={query.data.start}
              stepS={query.data.step_s}
              series={series}
              accepted={acceptedOf(query.data, kind)}
            />
          ) : (
            <Skeleton height={HEIGHT} />
          )}
        </Suspense>
      )}
    </Card>
  );
}
