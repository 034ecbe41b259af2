import { keys } from '@/api/keys';
import { fetchOpsProviders } from '@/api/ops';
import { View } from '@/app/View';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Looking } from './Looking';
import { ProviderCard } from './ProviderCard';
import styles from './QueuesView.module.css';
import { Updated } from './Updated';
import { useWatched } from './watched';

export function ProvidersView() {
  const query = useWatched(keys.ops('providers'), fetchOpsProviders);
  const shown = query.data?.toSorted((a, b) => Number(b.available) - Number(a.available));
  return (
    <View title="Providers" actions={<Updated query={query} />}>
      <Looking />
      {query.error && !query.data && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Loading label="Loading providers" />}
      <div className={styles.queues}>
        {query.isPending && ['a', 'b', 'c'].map((place) => <Skeleton key={place} height={220} />)}
        {shown?.map((provider) => (
          <ProviderCard key={provider.id} provider={provider} />
        ))}
      </div>
    </View>
  );
}
