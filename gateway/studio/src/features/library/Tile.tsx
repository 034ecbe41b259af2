import { Check, Play, Star } from 'lucide-react';
import { type MouseEvent, memo, useEffect, useRef } from 'react';
import type { Asset } from '@/api/assets';
import { classes } from '@/ui/classes';
import { SoundTile } from './SoundTile';
import styles from './Tile.module.css';
import { TileFace } from './TileFace';
import { nameOf, nounOf } from './words';

export interface TileDeeds {
  onChoose: (id: string, event: MouseEvent) => void;
  onSelect: (id: string, range: boolean) => void;
  onFavorite: (id: string) => void;
}

interface Props extends TileDeeds {
  asset: Asset;
  box: { left: number; top: number; width: number; height: number };
  position: number;
  total: number;
  selected: boolean;
  selecting: boolean;
  current: boolean;
  shown: boolean;
  /** The keyboard wants to be here. */
  wanted: boolean;
  onFocused: () => void;
}

/** One asset in the grid: itself, and what can be done with it on hover. */
export const Tile = memo(function Tile(props: Props) {
  const { asset, box, selected, shown, current, wanted } = props;
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
      style={{ left: box.left, top: box.top, width: box.width, height: box.height }}
      aria-posinset={props.position}
      aria-setsize={props.total}
    >
      <span className={styles.show} aria-hidden="true">
        <TileFace asset={asset} width={box.width} />
      </span>
      <button
        ref={face}
        type="button"
        data-face
        className={styles.face}
        aria-label={selected ? `${name}, selected` : name}
        aria-current={shown || undefined}
        tabIndex={current ? 0 : -1}
        onFocus={props.onFocused}
        onClick={(event) => props.onChoose(asset.id, event)}
      />
      {asset.type === 'audio' && <SoundTile asset={asset} bars={Math.round(box.width / 5)} />}
      {asset.type === 'video' && <Play className={styles.film} aria-hidden="true" />}
      {/* biome-ignore lint/a11y/useSemanticElements: a native box could not be drawn over a picture */}
      <button
        type="button"
        role="checkbox"
        aria-checked={selected}
        aria-label="Select"
        tabIndex={-1}
        className={classes(styles.corner, styles.check)}
        onClick={(event) => props.onSelect(asset.id, event.shiftKey)}
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
          onClick={() => props.onFavorite(asset.id)}
        >
          <Star aria-hidden="true" />
        </button>
      )}
    </li>
  );
});
