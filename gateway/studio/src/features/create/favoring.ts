import type { Generation, Output } from '@/api/client';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { changeAll } from '@/features/library/deeds';

/** Makes an output a favourite, or none any more, in sight at once; what is refused goes back. */
export async function favor(generation: Generation, output: Output): Promise<void> {
  const { asset_id, n } = output;
  if (asset_id === null) return;
  const favorite = !output.favorite;
  queryClient.setQueryData<Generation>(
    keys.generation(generation.id),
    (now) => now && { ...now, outputs: now.outputs.map((one) => (one.n === n ? { ...one, favorite } : one)) },
  );
  await changeAll([asset_id], favorite ? 'favorite' : 'unfavorite');
}
