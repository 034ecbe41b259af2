import { useEffect, useRef } from 'react';
import type { Asset } from '@/api/assets';
import styles from './Filmstrip.module.css';
import { pictureFor } from './pictures';
import { iconOf, nameOf } from './words';

interface Props {
  assets: readonly Asset[];
  place: number;
  onMove: (id: string) => void;
}

const AROUND = 30;
const SIDE_PX = 56;

/** Small pictures of the list around the one that is shown, which stays marked and in the middle. */
export function Filmstrip({ assets, place, onMove }: Props) {
  const here = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another middle
  useEffect(() => {
    here.current?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [place]);
  const from = Math.max(0, place - AROUND);
  return (
    <nav aria-label="Filmstrip" className={styles.strip}>
      {assets.slice(from, place + AROUND + 1).map((asset, n) => {
        const Icon = iconOf(asset.kind);
        const picture = asset.type === 'audio' || asset.type === 'text' ? null : pictureFor(asset, SIDE_PX);
        const current = from + n === place;
        return (
          <button
            key={asset.id}
            ref={current ? here : undefined}
            type="button"
            aria-label={nameOf(asset).slice(0, 100)}
            aria-current={current || undefined}
            tabIndex={current ? 0 : -1}
            className={styles.frame}
            onClick={() => onMove(asset.id)}
          >
            {picture ? <img src={picture} alt="" loading="lazy" /> : Icon && <Icon aria-hidden="true" />}
          </button>
        );
      })}
    </nav>
  );
}
