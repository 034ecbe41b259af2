import { Cpu } from 'lucide-react';
import { keys } from '@/api/keys';
import { fetchWorkers, type OpsWorker } from '@/api/ops';
import { View } from '@/app/View';
import { Badge } from '@/ui/Badge';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import type { Column } from '@/ui/Table';
import { Time } from '@/ui/Time';
import { Looking } from './Looking';
import { Meter } from './Meter';
import { Rows } from './Rows';
import { Ticking } from './Ticking';
import { labelOf } from './throughput';
import { Updated } from './Updated';
import { WorkerActions } from './WorkerActions';
import styles from './WorkersView.module.css';
import { useWatched } from './watched';
import { plain, span, toneOf } from './words';

/** Nothing tells of single heartbeats. */
const BEATS_MS = 2_000;

export function WorkersView() {
  const query = useWatched(keys.ops('workers'), fetchWorkers, BEATS_MS);
  return (
    <View title="Workers" actions={<Updated query={query} measured />}>
      <Looking />
      {query.error && !query.data && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && (
        <>
          <Loading label="Loading workers" />
          <Skeleton height={240} />
        </>
      )}
      {query.data?.length === 0 && (
        <EmptyState icon={<Cpu />} title="No worker is up">
          Nothing is generated until one starts: <code>penstock worker</code>.
        </EmptyState>
      )}
      {query.data && query.data.length > 0 && (
        <Rows caption="Workers" columns={COLUMNS} rows={query.data} keyOf={(worker) => worker.id} />
      )}
    </View>
  );
}

const COLUMNS: readonly Column<OpsWorker>[] = [
  {
    title: 'Worker',
    cell: (worker) => (
      <span className={styles.name}>
        {worker.host}
        <span className={styles.pid}>pid {worker.pid}</span>
      </span>
    ),
  },
  { title: 'State', cell: (worker) => <Badge tone={toneOf(worker.state)}>{plain(worker.state)}</Badge> },
  { title: 'Heartbeat', cell: (worker) => <Heartbeat worker={worker} /> },
  { title: 'Kinds', cell: (worker) => worker.kinds.map(labelOf).join(', ') || 'Maintenance only' },
  { title: 'Slots', cell: (worker) => <Slots worker={worker} /> },
  { title: 'Asking', numeric: true, cell: (worker) => worker.polling },
  { title: 'Version', cell: (worker) => <code>{worker.version}</code> },
  { title: 'Started', cell: (worker) => <Time at={worker.started_at} /> },
  { title: 'Actions', cell: (worker) => <WorkerActions worker={worker} /> },
];

function Heartbeat({ worker }: { worker: OpsWorker }) {
  if (worker.state !== 'down') return <span className={styles.beat}>{span(worker.heartbeat_age_s)} ago</span>;
  return (
    <span className={styles.dead}>
      <Ticking since={Date.parse(worker.heartbeat_at)} /> ago
    </span>
  );
}

function Slots({ worker }: { worker: OpsWorker }) {
  if (worker.slots.total === 0) return <>none</>;
  return <Meter label={`Slots of ${worker.host}`} used={worker.slots.used} total={worker.slots.total} />;
}
