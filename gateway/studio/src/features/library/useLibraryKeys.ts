import type { Asset } from '@/api/assets';
import { useShortcuts } from '@/keyboard/registry';
import { again } from './deeds';

interface Deeds {
  /** The asset that the keys are about. */
  current: Asset | undefined;
  /** The viewer has keys of its own. */
  active: boolean;
  trash: boolean;
  favorite: (id: string) => void;
  select: (id: string, range: boolean) => void;
  compare: () => void;
  remove: () => void;
  all: () => void;
  info: (id: string) => void;
  play: (id: string) => void;
  escape: () => void;
}

/** The keys of a list of assets. Arrows and Enter belong to the tile that has the focus. */
export function useLibraryKeys(title: string, deeds: Deeds): void {
  const { current } = deeds;
  const about = (deed: (asset: Asset) => void) => () => current && deed(current);
  const repeat = (seed: 'same' | 'new') =>
    about((asset) => asset.generation_id && void again(asset.generation_id, seed));
  const keys = [
    { chord: 'f', label: 'Favourite', run: about((asset) => deeds.favorite(asset.id)) },
    { chord: 'x', label: 'Select', run: about((asset) => deeds.select(asset.id, false)) },
    { chord: 'Shift+X', label: 'Select up to here', run: about((asset) => deeds.select(asset.id, true)) },
    { chord: 'Mod+a', label: 'Select all', run: deeds.all },
    { chord: 'c', label: 'Compare the two selected, or this with another', run: deeds.compare },
    { chord: 'i', label: 'Details', run: about((asset) => deeds.info(asset.id)) },
    { chord: 'Space', label: 'Play', run: about((asset) => deeds.play(asset.id)) },
    { chord: 'r', label: 'Run again, same seed', run: repeat('same') },
    { chord: 'Shift+R', label: 'Run again, new seed', run: repeat('new') },
    { chord: 'Delete', label: deeds.trash ? 'Restore' : 'Delete', run: deeds.remove },
    { chord: 'Escape', label: 'Close, or clear the selection', run: deeds.escape },
  ];
  useShortcuts(title, deeds.active ? keys : []);
}
