import { Link, useNavigate } from '@tanstack/react-router';
import { Clock } from 'lucide-react';
import { useState } from 'react';
import type { Generation } from '@/api/client';
import { fetchHistory } from '@/api/history';
import { keys } from '@/api/keys';
import { useMore, usePages } from '@/api/pages';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { say } from '@/ui/toasts';
import { BulkBar } from './BulkBar';
import { removeAll } from './deeds';
import { FilterBar } from './FilterBar';
import { filtersOf, historyFilters } from './filters';
import { HistoryList } from './HistoryList';
import styles from './HistoryView.module.css';
import { LibraryEmpty } from './LibraryEmpty';
import { NoMore } from './NoMore';
import { everything, extended, NONE, type Selection, toggled } from './selection';
import { useHistoryKeys } from './useHistoryKeys';
import { useLibrarySearch } from './useLibrarySearch';

/** Everything that was ever asked for, also what failed, by day. */
export function HistoryView() {
  const navigate = useNavigate();
  const { search, change } = useLibrarySearch();
  const filters = historyFilters(filtersOf(search));
  const list = usePages(keys.generationList(filters), (after) => fetchHistory(filters, after));
  const { items } = list;
  const more = useMore(list);
  const [selection, setSelection] = useState<Selection>(NONE);
  const order = items.map((one) => one.id);
  const chosen = items.filter((one) => selection.ids.has(one.id));
  const outputs = chosen.flatMap((one) => one.outputs.filter((output) => output.asset_id));
  const assetIds = outputs.map((output) => output.asset_id as string);
  const remove = (focused: string | null = null) => {
    const ids = chosen.length > 0 ? chosen.map((one) => one.id) : focused ? [focused] : [];
    if (ids.length === 0) return;
    void removeAll(ids);
    setSelection(NONE);
  };
  useHistoryKeys({
    generations: items,
    chosen,
    compareChosen: () => {
      if (comparable(chosen)) toCompare();
      else say('Select two that made something to compare them.');
    },
    all: () => setSelection(everything(order)),
    remove,
    clear: () => setSelection(NONE),
  });
  return (
    <View title="History">
      <FilterBar filters={filtersOf(search)} onChange={change} about="history" />
      {list.error && items.length === 0 && (
        <ErrorCard error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <RowsLoading />}
      {list.isSuccess && items.length === 0 && (
        <LibraryEmpty
          filtered={Object.keys(filters).length > 0}
          onClear={() => void navigate({ to: '.', search: {} as never })}
        >
          <EmptyState icon={<Clock />} title="Nothing was asked for yet">
            <Link to="/studio/create/$kind" params={{ kind: 'image' }}>
              Make the first one
            </Link>
          </EmptyState>
        </LibraryEmpty>
      )}
      {items.length > 0 && (
        <HistoryList
          generations={items}
          selected={selection.ids}
          onSelect={(id, range) =>
            setSelection((now) => (range ? extended(now, id, order) : toggled(now, id)))
          }
          onEndReached={more}
        />
      )}
      <NoMore list={list} />
      {chosen.length > 0 && (
        <BulkBar
          ids={assetIds}
          generations={chosen.length}
          sizeBytes={outputs.reduce((sum, output) => sum + output.bytes, 0)}
          onAll={() => setSelection(everything(order))}
          onCompare={comparable(chosen) ? () => toCompare() : undefined}
          onDelete={() => remove()}
          onClear={() => setSelection(NONE)}
        />
      )}
    </View>
  );

  function toCompare(): void {
    const [a, b] = chosen;
    if (a && b) void navigate({ to: '/studio/compare', search: { a: a.id, b: b.id } as never });
  }
}

function comparable(chosen: readonly Generation[]): boolean {
  return chosen.length === 2 && chosen.every((one) => one.outputs.length > 0);
}

function RowsLoading() {
  return (
    <div className={styles.loading}>
      <Loading />
      {[1, 2, 3, 4, 5, 6].map((n) => (
        <Skeleton key={n} height={64} />
      ))}
    </div>
  );
}
