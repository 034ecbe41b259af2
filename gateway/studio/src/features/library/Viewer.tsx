import { ChevronLeft, ChevronRight, Download, Info, Star, Trash2, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { useCompare } from '@/features/compare/comparing';
import { toggleFilm } from '@/features/players/film';
import { jukebox } from '@/features/players/jukebox';
import { FIT, STEP, type Zoom, zoomed } from '@/features/players/zoom';
import { useShortcuts } from '@/keyboard/registry';
import { IconButton } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { AssetDetails } from './AssetDetails';
import { again } from './deeds';
import { Filmstrip } from './Filmstrip';
import { scaled } from './pictures';
import { Stage } from './Stage';
import { useModalFocus } from './useModalFocus';
import styles from './Viewer.module.css';
import { nameOf, nounOf } from './words';

interface Props {
  /** The list that the arrow keys go through. */
  assets: readonly Asset[];
  asset: Asset;
  /** A film begins by itself: that is what it was opened for. */
  plays?: boolean;
  onMove: (id: string) => void;
  /** There may be more to load. */
  onNearEnd?: () => void;
  onFavorite: (id: string) => void;
  onDelete: () => void;
  onClose: () => void;
}

const NEAR = 5;
const PRELOAD_PX = 1920;

/** One asset over the whole screen. Messages stay above it, so that a deletion can be taken back. */
export function Viewer(props: Props) {
  const { assets, asset, plays, onMove, onNearEnd, onFavorite, onDelete, onClose } = props;
  const [zoom, setZoom] = useState<Zoom>(FIT);
  const [info, setInfo] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  useModalFocus(frame);
  const place = assets.findIndex((one) => one.id === asset.id);
  const before = assets[place - 1];
  const after = assets[place + 1];

  // biome-ignore lint/correctness/useExhaustiveDependencies: each asset begins as it fits
  useEffect(() => setZoom(FIT), [asset.id]);
  useEffect(() => {
    if (place >= assets.length - NEAR) onNearEnd?.();
  }, [place, assets.length, onNearEnd]);
  useEffect(() => {
    for (const one of [before, after]) if (one?.type === 'image') new Image().src = scaled(one, PRELOAD_PX);
  }, [before, after]);

  const enlarge = (factor: number) => {
    const pane = { width: stage.current?.clientWidth ?? 0, height: stage.current?.clientHeight ?? 0 };
    setZoom((now) => zoomed(now, factor, { x: 0, y: 0 }, pane));
  };
  const compare = useCompare();
  const repeat = (seed: 'same' | 'new') => asset.generation_id && void again(asset.generation_id, seed);
  const sound = asset.type === 'audio' ? fileAddress(asset.file_url) : null;
  useShortcuts('Full screen', [
    { chord: 'ArrowLeft', label: 'The one before', run: () => before && onMove(before.id) },
    { chord: 'ArrowRight', label: 'The next one', run: () => after && onMove(after.id) },
    { chord: '+', label: 'Closer', run: () => enlarge(STEP) },
    { chord: '-', label: 'Further', run: () => enlarge(1 / STEP) },
    { chord: '0', label: 'As it fits', run: () => setZoom(FIT) },
    { chord: 'f', label: 'Favourite', run: () => onFavorite(asset.id) },
    { chord: 'c', label: 'Compare with another', run: () => compare(asset.id) },
    { chord: 'r', label: 'Run again, same seed', run: () => repeat('same') },
    { chord: 'Shift+R', label: 'Run again, new seed', run: () => repeat('new') },
    { chord: 'i', label: 'Details', run: () => setInfo(!info) },
    {
      chord: 'Space',
      label: 'Play',
      run: () => (sound ? jukebox.toggle(sound) : toggleFilm(stage.current)),
    },
    { chord: 'Delete', label: 'Delete', run: onDelete },
    { chord: 'Escape', label: 'Close', run: onClose },
  ]);

  return createPortal(
    <div
      ref={frame}
      role="dialog"
      aria-modal="true"
      aria-label={`${nounOf(asset.kind)}, full screen`}
      tabIndex={-1}
      className={styles.viewer}
    >
      <header className={styles.head}>
        <p className={styles.name} aria-live="polite">
          <span className={styles.count}>
            {place + 1} / {assets.length}
          </span>
          {nameOf(asset)}
        </p>
        <span className={styles.actions}>
          {!asset.deleted_at && (
            <IconButton
              name="Favourite"
              icon={<Star className={asset.favorite ? styles.starred : undefined} />}
              pressed={asset.favorite}
              onClick={() => onFavorite(asset.id)}
            />
          )}
          <a
            className={classes(buttons.button, buttons.icon, buttons.quiet, buttons.md)}
            href={fileAddress(`${asset.file_url}?download=true`)}
            aria-label="Download"
            title="Download"
            download
          >
            <Download aria-hidden="true" />
          </a>
          <IconButton name="Details" icon={<Info />} pressed={info} onClick={() => setInfo(!info)} />
          {!asset.deleted_at && <IconButton name="Delete" icon={<Trash2 />} onClick={onDelete} />}
          <IconButton name="Close" icon={<X />} onClick={onClose} />
        </span>
      </header>
      <div className={styles.middle}>
        <div ref={stage} className={styles.stage}>
          <Stage key={asset.id} asset={asset} plays={plays} zoom={zoom} onZoom={setZoom} />
          <Step name="The one before" side="left" to={before} onMove={onMove} />
          <Step name="The next one" side="right" to={after} onMove={onMove} />
        </div>
        {info && (
          <aside aria-label="Details" className={styles.info}>
            <h2 className="unseen">Details</h2>
            <AssetDetails asset={asset} />
          </aside>
        )}
      </div>
      <Filmstrip assets={assets} place={place} onMove={onMove} />
    </div>,
    document.body,
  );
}

interface StepProps {
  name: string;
  side: 'left' | 'right';
  to: Asset | undefined;
  onMove: (id: string) => void;
}

function Step({ name, side, to, onMove }: StepProps) {
  const Icon = side === 'left' ? ChevronLeft : ChevronRight;
  if (!to) return null;
  return (
    <IconButton
      name={name}
      icon={<Icon />}
      look="plain"
      className={classes(styles.step, styles[side])}
      onClick={() => onMove(to.id)}
    />
  );
}
