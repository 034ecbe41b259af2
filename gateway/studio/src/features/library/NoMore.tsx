import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import { ErrorCard } from '@/ui/ErrorCard';

interface Props {
  list: Pick<
    UseInfiniteQueryResult,
    'error' | 'isFetchingNextPage' | 'isFetchNextPageError' | 'fetchNextPage'
  >;
}

/** Below a list whose next page could not be had: why, and another try. */
export function NoMore({ list }: Props) {
  if (!list.isFetchNextPageError || list.isFetchingNextPage) return null;
  return <ErrorCard error={list.error} onRetry={() => void list.fetchNextPage()} />;
}
