import { useNavigate } from '@tanstack/react-router';
import { type MouseEvent, type ReactNode, useEffect, useState } from 'react';
import { fileAddress } from '@/api/address';
import { fetchMatching, MOST_AT_ONCE } from '@/api/assets';
import { useMore } from '@/api/pages';
import { View } from '@/app/View';
import { useCompare } from '@/features/compare/comparing';
import { jukebox } from '@/features/players/jukebox';
import { ErrorCard } from '@/ui/ErrorCard';
import { say, sayProblem } from '@/ui/toasts';
import { BulkBar } from './BulkBar';
import { DetailsPanel } from './DetailsPanel';
import { change, fromTrash, toTrash } from './deeds';
import { FilterBar } from './FilterBar';
import { assetFilters, type Filters, filtersOf } from './filters';
import { Grid } from './Grid';
import styles from './Library.module.css';
import { LibraryEmpty } from './LibraryEmpty';
import { NewPill } from './NewPill';
import { NoMore } from './NoMore';
import { everything, extended, NONE, type Selection, toggled } from './selection';
import { TilesLoading } from './TilesLoading';
import { useAssets } from './useAssets';
import { useLibraryKeys } from './useLibraryKeys';
import { useLibrarySearch } from './useLibrarySearch';
import { useNews } from './useNews';
import { Viewer } from './Viewer';

interface ShelfProps {
  title: string;
  /** Filters that belong to the place. */
  fixed?: Filters;
  trash?: boolean;
  /** What to say where there is nothing, and nothing is filtered. */
  empty: ReactNode;
}

interface Props extends ShelfProps {
  actions?: ReactNode;
}

/** A view of the library's assets: the gallery, the favourites, the trash. */
export function Library({ actions, ...shelf }: Props) {
  return (
    <View title={shelf.title} actions={actions}>
      <Shelf {...shelf} />
    </View>
  );
}

/** Assets to look for, look at and act on, within a view. The address says which. */
export function Shelf({ title, fixed, trash = false, empty }: ShelfProps) {
  const navigate = useNavigate();
  const { search, change: changeSearch } = useLibrarySearch();
  const filters = { ...filtersOf(search), ...fixed };
  const asked = { ...assetFilters(filters), ...(trash && { deleted: true }) };
  const list = useAssets(asked);
  const { items, hasNextPage, isFetchingNextPage } = list;
  const more = useMore(list);
  const news = useNews(asked, items, filters.sort === undefined && !trash);
  const [selection, setSelection] = useState<Selection>(NONE);
  const [current, setCurrent] = useState<string | null>(null);
  const [played, setPlayed] = useState<string | null>(null);
  useEffect(() => () => jukebox.pause(), []);

  const find = (id: string | null | undefined) => items.find((one) => one.id === id);
  const order = items.map((one) => one.id);
  const ids = [...selection.ids];
  const select = (id: string, range: boolean) =>
    setSelection((now) => (range ? extended(now, id, order) : toggled(now, id)));
  const open = (id: string, full: boolean) => changeSearch({ show: id, full: full || undefined });
  const favorite = (id: string) => {
    const asset = find(id);
    if (asset && !trash) void change(asset, { favorite: !asset.favorite });
  };
  const play = (id: string) => {
    const asset = find(id);
    if (asset?.type === 'audio') return jukebox.toggle(fileAddress(asset.file_url));
    setPlayed(id);
    open(id, true);
  };
  const choose = (id: string, event: MouseEvent) => {
    setCurrent(id);
    if (event.shiftKey || event.ctrlKey || event.metaKey) select(id, event.shiftKey);
    else open(id, event.detail > 1 || window.innerWidth < 960);
  };
  const compareOne = useCompare();
  const compare = () => {
    const [a, b] = ids;
    if (a && b) void navigate({ to: '/studio/compare', search: { a, b } as never });
    else if (current && find(current)) compareOne(current);
    else say('Select two to compare: x or Shift-click marks them.');
  };
  const remove = () => {
    const chosen = ids.length > 0 ? ids : current && find(current) ? [current] : [];
    if (chosen.length === 0) return;
    const at = order.indexOf(chosen[0] ?? '');
    const rest = order.filter((id) => !chosen.includes(id));
    setCurrent(rest[Math.min(at, rest.length - 1)] ?? null);
    setSelection(NONE);
    if (search.show && chosen.includes(search.show)) changeSearch({ show: undefined, full: undefined }, true);
    void (trash ? fromTrash(chosen) : toTrash(chosen));
  };
  const matching = async () => {
    try {
      const found = await fetchMatching(asked);
      setSelection(everything(found.slice(0, MOST_AT_ONCE).map((one) => one.id)));
    } catch (error) {
      sayProblem(error);
    }
  };
  const shown = find(search.show);
  useLibraryKeys(title, {
    current: find(current) ?? shown,
    active: !search.full,
    trash,
    favorite,
    select,
    compare,
    remove,
    all: () => setSelection(everything(order)),
    info: (id) => open(id, false),
    play,
    escape: () => {
      if (search.show) changeSearch({ show: undefined });
      else setSelection(NONE);
    },
  });
  const sizeBytes = items
    .filter((one) => selection.ids.has(one.id))
    .reduce((sum, one) => sum + one.file_size_bytes, 0);
  const loadedAll = ids.every((id) => order.includes(id));

  return (
    <div className={styles.shelf}>
      <FilterBar filters={filtersOf(search)} onChange={changeSearch} about="assets" fixed={fixed} />
      <NewPill
        count={news.fresh.length}
        calm={!search.show && selection.ids.size === 0 && items.length === 0}
        onTake={news.take}
      />
      <div className={shown && !search.full ? styles.withPanel : styles.alone}>
        <div className={styles.list}>
          {list.error && items.length === 0 && (
            <ErrorCard error={list.error} onRetry={() => void list.refetch()} />
          )}
          {list.isPending && <TilesLoading />}
          {list.isSuccess && items.length === 0 && (
            <LibraryEmpty
              filtered={Object.keys(filtersOf(search)).length > 0}
              onClear={() => void navigate({ to: '.', search: {} as never })}
            >
              {empty}
            </LibraryEmpty>
          )}
          {items.length > 0 && (
            <Grid
              label={title}
              assets={items}
              selected={selection.ids}
              current={current ?? search.show ?? null}
              shown={search.show ?? null}
              onCurrent={setCurrent}
              onChoose={choose}
              onEnter={(id) => open(id, true)}
              onPlay={play}
              onSelect={select}
              onFavorite={favorite}
              onEndReached={more}
            />
          )}
          {isFetchingNextPage && <TilesLoading rows={1} />}
          <NoMore list={list} />
        </div>
        {shown && !search.full && (
          <DetailsPanel
            asset={shown}
            onFull={() => open(shown.id, true)}
            onClose={() => changeSearch({ show: undefined })}
          />
        )}
      </div>
      {selection.ids.size > 0 && (
        <BulkBar
          ids={ids}
          sizeBytes={loadedAll ? sizeBytes : 0}
          trash={trash}
          onAll={() => setSelection(everything(order))}
          onMatching={hasNextPage ? matching : undefined}
          onCompare={compare}
          onClear={() => setSelection(NONE)}
        />
      )}
      {shown && search.full && (
        <Viewer
          assets={items}
          asset={shown}
          plays={shown.id === played}
          onMove={(id) => {
            setCurrent(id);
            setPlayed(null);
            changeSearch({ show: id, full: true }, true);
          }}
          onNearEnd={more}
          onFavorite={favorite}
          onDelete={remove}
          onClose={() => {
            setPlayed(null);
            changeSearch({ full: undefined, show: undefined });
          }}
        />
      )}
    </div>
  );
}
