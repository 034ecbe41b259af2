import { useProviderHealth, useProviderSettings } from '@/api/providers';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { OwnKeys } from './OwnKeys';
import { ProviderDefaults } from './ProviderDefaults';
import { ProviderOrder } from './ProviderOrder';

export default function ProvidersTab() {
  const { data, error, refetch } = useProviderSettings();
  const health = useProviderHealth().data;
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={480} />;
  return (
    <>
      <ProviderOrder settings={data} health={health} />
      <ProviderDefaults settings={data} />
      <OwnKeys providers={data.providers.filter((one) => one.takes_own_key).map((one) => one.provider)} />
    </>
  );
}
