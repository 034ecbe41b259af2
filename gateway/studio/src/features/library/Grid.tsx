import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Asset } from '@/api/assets';
import { useIdle } from '@/app/idle';
import styles from './Grid.module.css';
import { shapeOf } from './pictures';
import { GAP, heightOf, neighbour, rowsOf, wishedHeight } from './rows';
import { Tile, type TileDeeds } from './Tile';
import { tilesPlace } from './TilesLoading';

interface Props extends Omit<TileDeeds, 'onFocused'> {
  label: string;
  assets: readonly Asset[];
  selected: ReadonlySet<string>;
  /** Which tile the keyboard is at. */
  current: string | null;
  /** Whose details are shown. */
  shown: string | null;
  onCurrent: (id: string) => void;
  onEnter: (id: string) => void;
  onPlay: (id: string) => void;
  onEndReached: () => void;
}

const OVERSCAN = 3;
/** Until it is measured. */
const WINDOW =
  typeof window === 'undefined' ? undefined : { width: window.innerWidth, height: window.innerHeight };

/** Tiles in rows of equal height. Only those near the window are there; arrow keys go from one to the next. */
export function Grid(props: Props) {
  const { label, assets, current, selected, shown, onCurrent, onEndReached } = props;
  const list = useRef<HTMLUListElement>(null);
  const [kept] = useState(tilesPlace);
  const width = useWidth(list, kept.width);
  // Rows beyond the window come once those in it are there.
  const overscan = useIdle() ? OVERSCAN : 0;
  const wished = wishedHeight(width);
  const rows = useMemo(
    () => (width ? rowsOf(assets.map(shapeOf), width, wished, GAP) : []),
    [assets, width, wished],
  );
  const [wanted, setWanted] = useState<string | null>(null);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => (rows[index]?.height ?? wished) + GAP,
    overscan,
    initialRect: WINDOW,
    scrollMargin: list.current?.offsetTop ?? kept.top,
    scrollPaddingStart: 72,
    scrollPaddingEnd: 96,
  });
  const measured = useRef(rows);
  useLayoutEffect(() => {
    if (measured.current !== rows) virtual.measure();
    measured.current = rows;
  }, [rows, virtual]);
  useAnchor(list, rows, assets, current ?? shown, width);

  const deeds = useDeeds({
    ...props,
    onFocused: (id) => {
      setWanted(null);
      onCurrent(id);
    },
  });

  const visible = virtual.getVirtualItems();
  const lastVisible = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastVisible >= rows.length - 1 - OVERSCAN) onEndReached();
  }, [lastVisible, rows.length, onEndReached]);

  const place = Math.max(
    0,
    assets.findIndex((one) => one.id === current),
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const here = assets[place];
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      if (!(event.target as Element).matches('[data-face]')) return;
      event.preventDefault();
      if (event.key === 'Enter') props.onEnter(here.id);
      else props.onPlay(here.id);
      return;
    }
    const next = neighbour(rows, place, event.key);
    const target = next === null ? undefined : assets[next];
    if (!target) return;
    event.preventDefault();
    onCurrent(target.id);
    setWanted(target.id);
    virtual.scrollToIndex(
      rows.findIndex((row) => row.tiles.some((tile) => tile.index === next)),
      { align: 'auto' },
    );
  };

  return (
    <ul
      ref={list}
      aria-label={label}
      className={styles.grid}
      style={{ height: heightOf(rows) }}
      onKeyDown={onKeyDown}
    >
      {visible.flatMap(({ index }) => {
        const row = rows[index];
        return (row?.tiles ?? []).map((tile) => {
          const asset = assets[tile.index];
          if (!asset || !row) return null;
          return (
            <Tile
              key={asset.id}
              asset={asset}
              row={row}
              place={tile}
              position={tile.index + 1}
              total={assets.length}
              selected={selected.has(asset.id)}
              selecting={selected.size > 0}
              current={tile.index === place}
              shown={asset.id === shown}
              wanted={asset.id === wanted}
              deeds={deeds}
            />
          );
        });
      })}
    </ul>
  );
}

/** The same object for as long as the grid is there, so that a tile is drawn again only when it changes. */
function useDeeds(now: TileDeeds): TileDeeds {
  const latest = useRef(now);
  useLayoutEffect(() => {
    latest.current = now;
  });
  return useMemo(
    () => ({
      onChoose: (id, event) => latest.current.onChoose(id, event),
      onSelect: (id, range) => latest.current.onSelect(id, range),
      onFavorite: (id) => latest.current.onFavorite(id),
      onFocused: (id) => latest.current.onFocused(id),
    }),
    [],
  );
}

/**
 * Begins with the width of the place that is kept for it, so that the tiles are part of the first drawing, which does
 * not hold up the page.
 */
function useWidth(ref: React.RefObject<HTMLElement | null>, kept: number): number {
  const [width, setWidth] = useState(kept);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, [ref]);
  return width;
}

/** When the rows are laid out anew, the tile one is at stays where it is on the screen. */
function useAnchor(
  list: React.RefObject<HTMLElement | null>,
  rows: ReturnType<typeof rowsOf>,
  assets: readonly Asset[],
  id: string | null,
  width: number,
): void {
  const before = useRef({ width, top: 0 });
  useLayoutEffect(() => {
    const index = assets.findIndex((one) => one.id === id);
    const top = rows.find((row) => row.tiles.some((tile) => tile.index === index))?.top ?? 0;
    const moved = before.current.width && before.current.width !== width && index >= 0;
    if (moved && list.current) window.scrollBy(0, top - before.current.top);
    before.current = { width, top };
  }, [rows, assets, id, width, list]);
}
