import { useQueries } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Columns2 } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { ComparePictures } from './ComparePictures';
import { CompareSounds } from './CompareSounds';
import { CompareTexts } from './CompareTexts';
import { contenderQuery } from './contender';
import { Differences } from './Differences';

/** Two of a kind beside each other: `?a=…&b=…`, each an asset's or a generation's id. */
export function CompareView() {
  const { a, b } = useSearch({ strict: false }) as { a?: unknown; b?: unknown };
  const ids = [a, b].filter((id): id is string => typeof id === 'string' && id !== '');
  return <View title="Compare">{ids.length === 2 ? <Both ids={ids} /> : <ChooseTwo />}</View>;
}

function ChooseTwo() {
  return (
    <EmptyState icon={<Columns2 />} title="Choose two to compare">
      Mark two in the <Link to="/studio/gallery">gallery</Link>, by their corners or with <kbd>X</kbd>, then
      choose Compare or press <kbd>C</kbd>.
    </EmptyState>
  );
}

function Both({ ids }: { ids: readonly string[] }) {
  const [first, second] = useQueries({ queries: ids.map(contenderQuery) });
  const failed = [first, second].find((query) => query?.error);
  if (failed) return <ErrorCard error={failed.error} onRetry={() => void failed.refetch()} />;
  if (!first?.data || !second?.data) {
    return (
      <>
        <Loading />
        <Skeleton height={480} />
      </>
    );
  }
  const pair = [first.data, second.data] as const;
  const types = new Set(pair.map(({ asset }) => asset.type));
  return (
    <>
      {types.has('audio') && types.size === 1 ? (
        <CompareSounds pair={pair} />
      ) : types.has('text') || types.has('audio') ? (
        <CompareTexts pair={pair} />
      ) : (
        <ComparePictures key={ids.join()} pair={pair} />
      )}
      <Differences pair={pair} />
    </>
  );
}
