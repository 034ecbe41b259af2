import { type Asset, type AssetChanges, changeAsset, changeAssets, zipAssets } from '@/api/assets';
import { removeGenerations, restoreGeneration } from '@/api/history';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { rerun } from '@/api/repeats';
import { live } from '@/live/live';
import { save } from '@/ui/save';
import { say, sayProblem, sayUndoable } from '@/ui/toasts';
import { drop, put, refreshGenerations, refreshLists } from './assetCache';

/** Changes it in sight at once; what is refused goes back. */
export async function change(asset: Asset, changes: AssetChanges): Promise<void> {
  put({ ...asset, ...changes } as Asset);
  try {
    put(await changeAsset(asset.id, changes));
    refreshGenerations();
  } catch (error) {
    put(asset);
    sayProblem(error);
  }
}

type Marking = 'favorite' | 'unfavorite' | 'tag' | 'untag' | 'move';

export async function changeAll(
  ids: readonly string[],
  action: Marking,
  more?: { tags?: string[]; project_id?: string | null },
): Promise<void> {
  try {
    const { changed } = await changeAssets(ids, action, more);
    say(`${DONE[action]} ${counted(changed, 'item')}.`, 'good');
  } catch (error) {
    sayProblem(error);
  }
  refreshLists();
}

const DONE: Record<Marking, string> = {
  favorite: 'Favourites now:',
  unfavorite: 'No favourites any more:',
  tag: 'Tagged',
  untag: 'Untagged',
  move: 'Moved',
};

/** To the trash at once; the toast's undo takes them out of it again. */
export async function toTrash(ids: readonly string[]): Promise<void> {
  drop(new Set(ids));
  try {
    await changeAssets(ids, 'delete');
    refreshGenerations();
    sayUndoable(`${counted(ids.length, 'item')} moved to the trash.`, settled, () => void fromTrash(ids));
  } catch (error) {
    refreshLists();
    sayProblem(error);
  }
}

export async function fromTrash(ids: readonly string[]): Promise<void> {
  try {
    const { changed } = await changeAssets(ids, 'restore');
    say(`${counted(changed, 'item')} restored.`, 'good');
  } catch (error) {
    sayProblem(error);
  }
  refreshLists();
}

/** The trash has them already when the toast goes away. */
function settled(): void {}

/** Generations with all they made; what has not ended is refused. */
export async function removeAll(ids: readonly string[]): Promise<void> {
  try {
    const { done, data } = await removeGenerations(ids);
    const gone = data.filter((one) => !one.error).map((one) => one.id);
    refreshLists();
    if (done === 0) say('What is unfinished cannot be deleted. Cancel it first.', 'bad');
    else sayUndoable(`${counted(done, 'generation')} deleted.`, settled, () => void bringBack(gone));
  } catch (error) {
    sayProblem(error);
  }
}

async function bringBack(ids: readonly string[]): Promise<void> {
  try {
    for (const id of ids) await restoreGeneration(id);
    say(`${counted(ids.length, 'generation')} restored.`, 'good');
  } catch (error) {
    sayProblem(error);
  }
  refreshLists();
}

/** Does it again without leaving what one looks at. */
export async function again(id: string, seed: 'same' | 'new'): Promise<void> {
  try {
    const generation = await rerun(id, seed);
    live.learn(generation);
    queryClient.setQueryData(keys.generation(generation.id), generation);
    say(seed === 'same' ? 'Running again with the same seed.' : 'Running again with a new seed.', 'good');
  } catch (error) {
    sayProblem(error);
  }
}

export async function zip(ids: readonly string[]): Promise<void> {
  try {
    save(await zipAssets(ids), `penstock-${new Date().toISOString().slice(0, 10)}.zip`);
  } catch (error) {
    sayProblem(error);
  }
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
