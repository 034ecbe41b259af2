import { keys } from '@/api/keys';
import { fetchQueues } from '@/api/ops';
import { View } from '@/app/View';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Looking } from './Looking';
import { QueueCard } from './QueueCard';
import styles from './QueuesView.module.css';
import { ThroughputCard } from './ThroughputCard';
import { Updated } from './Updated';
import { useWatched } from './watched';

const KINDS = 6;

export function QueuesView() {
  const query = useWatched(keys.ops('queues'), fetchQueues);
  return (
    <View title="Queues" actions={<Updated query={query} />}>
      <Looking />
      {query.error && !query.data && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Loading label="Loading queues" />}
      <div className={styles.queues}>
        {query.isPending &&
          Array.from({ length: KINDS }, (_, index) => `place ${index}`).map((place) => (
            <Skeleton key={place} height={282} />
          ))}
        {query.data?.map((queue) => (
          <QueueCard key={queue.id} queue={queue} asOf={query.dataUpdatedAt} />
        ))}
      </div>
      <ThroughputCard />
    </View>
  );
}
