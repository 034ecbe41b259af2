import { Check, Play, Star } from 'lucide-react';
import { type MouseEvent, memo, useEffect, useRef } from 'react';
import type { Asset } from '@/api/assets';
import { classes } from '@/ui/classes';
import type { Placed, Row } from './rows';
import { SoundTile } from './SoundTile';
import styles from './Tile.module.css';
import { TileFace } from './TileFace';
import { nameOf, nounOf } from './words';

export interface TileDeeds {
  onChoose: (id: string, event: MouseEvent) => void;
  onSelect: (id: string, range: boolean) => void;
  onFavorite: (id: string) => void;
  onFocused: (id: string) => void;
}

interface Props {
  asset: Asset;
  row: Row;
  place: Placed;
  position: number;
  total: number;
  selected: boolean;
  selecting: boolean;
  current: boolean;
  shown: boolean;
  /** The keyboard wants to be here. */
  wanted: boolean;
  deeds: TileDeeds;
}

/** One asset in the grid: itself, and what can be done with it on hover. */
export const Tile = memo(function Tile(props: Props) {
  const { asset, row, place, selected, shown, current, wanted, deeds } = props;
  const face = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (wanted) face.current?.focus({ preventScroll: true });
  }, [wanted]);
  const name = `${nounOf(asset.kind)}: ${nameOf(asset).slice(0, 120)}`;
  return (
    <li
      className={classes(
        styles.tile,
        selected && styles.selected,
        shown && styles.shown,
        props.selecting && styles.selecting,
      )}
      style={{ left: place.left, top: row.top, width: place.width, height: row.height }}
      aria-posinset={props.position}
      aria-setsize={props.total}
    >
      <span className={styles.show} aria-hidden="true">
        <TileFace asset={asset} width={place.width} />
      </span>
      <button
        ref={face}
        type="button"
        data-face
        className={styles.face}
        aria-label={selected ? `${name}, selected` : name}
        aria-current={shown || undefined}
        tabIndex={current ? 0 : -1}
        onFocus={() => deeds.onFocused(asset.id)}
        onClick={(event) => deeds.onChoose(asset.id, event)}
      />
      {asset.type === 'audio' && <SoundTile asset={asset} bars={Math.round(place.width / 5)} />}
      {asset.type === 'video' && <Play className={styles.film} aria-hidden="true" />}
      {/* biome-ignore lint/a11y/useSemanticElements: a native box could not be drawn over a picture */}
      <button
        type="button"
        role="checkbox"
        aria-checked={selected}
        aria-label="Select"
        tabIndex={-1}
        className={classes(styles.corner, styles.check)}
        onClick={(event) => deeds.onSelect(asset.id, event.shiftKey)}
      >
        <Check aria-hidden="true" />
      </button>
      {!asset.deleted_at && (
        <button
          type="button"
          aria-pressed={asset.favorite}
          aria-label="Favourite"
          tabIndex={-1}
          className={classes(styles.corner, styles.star, asset.favorite && styles.starred)}
          onClick={() => deeds.onFavorite(asset.id)}
        >
          <Star aria-hidden="true" />
        </button>
      )}
    </li>
  );
});
