import type { Generation } from '@/api/client';
import { useCompare } from '@/features/compare/comparing';
import { useShortcuts } from '@/keyboard/registry';
import { again, changeAll } from './deeds';

interface Deeds {
  generations: readonly Generation[];
  /** Those that are selected. */
  chosen: readonly Generation[];
  compareChosen: () => void;
  all: () => void;
  /** Those that are selected, else this one. */
  remove: (focused: string | null) => void;
  clear: () => void;
}

/** The keys of the history: about the selected rows, else the one that has the focus; that one alone is run again. */
export function useHistoryKeys(deeds: Deeds): void {
  const { generations, chosen, compareChosen, all, remove, clear } = deeds;
  const compare = useCompare();
  const focused = () => generations.filter(({ id }) => id === focusedRow());
  const about = (deed: (one: Generation) => void) => () => focused().forEach(deed);
  const repeat = (seed: 'same' | 'new') => about((one) => void again(one.id, seed));
  useShortcuts('History', [
    { chord: 'ArrowDown', label: 'The next row', run: () => step(1) },
    { chord: 'ArrowUp', label: 'The row before', run: () => step(-1) },
    { chord: 'f', label: 'Favourite', run: () => mark(chosen.length > 0 ? chosen : focused()) },
    {
      chord: 'c',
      label: 'Compare the two selected, or this with another',
      run: chosen.length > 0 ? compareChosen : about((one) => one.outputs[0] && compare(one.id)),
    },
    { chord: 'r', label: 'Run again, same seed', run: repeat('same') },
    { chord: 'Shift+R', label: 'Run again, new seed', run: repeat('new') },
    { chord: 'Mod+a', label: 'Select all', run: all },
    { chord: 'Delete', label: 'Delete', run: () => remove(focusedRow()) },
    { chord: 'Escape', label: 'Clear the selection', run: clear },
  ]);
}

/** What they made, as one: with a favourite among it there is none afterwards. */
function mark(generations: readonly Generation[]): void {
  const outputs = generations.flatMap((one) => one.outputs);
  const ids = outputs.flatMap((output) => output.asset_id ?? []);
  if (ids.length === 0) return;
  void changeAll(ids, outputs.some((output) => output.favorite) ? 'unfavorite' : 'favorite');
}

function focusedRow(): string | null {
  const row = document.activeElement?.closest<HTMLElement>('[data-generation]');
  return row?.dataset.generation ?? null;
}

/** Rows near the window are there, so the next one is. */
function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-generation]')];
  const now = rows.findIndex((row) => row.dataset.generation === focusedRow());
  const next = rows[now < 0 ? 0 : now + by];
  next?.querySelector('a')?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
