import type { Generation } from '@/api/client';
import { fetchRecipe } from '@/api/repeats';
import type { MenuItem } from '@/ui/Menu';
import { say, sayProblem } from '@/ui/toasts';
import { drawnSeed, prefillOf, type Reuse, useFill } from './prefill';

/** Takes settings of a generation over into the form, and goes there. */
export function useReuse(): (generation: Generation, reuse: Reuse) => void {
  const fill = useFill();
  return (generation, reuse) => {
    if (reuse === 'prompt' || reuse === 'seed') fill(prefillOf(generation, reuse));
    else
      asAsked(generation)
        .then((asked) => fill(prefillOf(asked, reuse)))
        .catch(sayProblem);
  };
}

/** With what somebody asked for as its input, where a generation has all that its kind leaves to chance as well. */
async function asAsked(generation: Generation): Promise<Generation> {
  const { request } = await fetchRecipe(generation.id);
  const { input } = request as unknown as Pick<Generation, 'input'>;
  return { ...generation, input: { ...input, seed: generation.input.seed } };
}

/** The ways to do that; none happens by itself. */
export function reuses(generation: Generation, reuse: ReturnType<typeof useReuse>): MenuItem[] {
  const item = (label: string, way: Reuse) => ({ label, run: () => reuse(generation, way) });
  const hasWords = Object.keys(prefillOf(generation, 'prompt').input ?? {}).length > 0;
  return [
    ...(hasWords ? [item('Use the prompt', 'prompt')] : []),
    item('Use all settings', 'all'),
    item('Use all, same seed', 'same'),
    item('Use all, new seed', 'new'),
    drawnSeed(generation) === undefined
      ? { label: 'Use its seed', run: () => say('Its maker does not tell the seed.') }
      : item('Use its seed', 'seed'),
  ];
}
