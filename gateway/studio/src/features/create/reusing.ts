import type { Generation } from '@/api/client';
import type { MenuItem } from '@/ui/Menu';
import { say } from '@/ui/toasts';
import { drawnSeed, type Prefill, prefillOf } from './prefill';

/** The ways to take settings of a generation over into the form; none happens by itself. */
export function reuses(generation: Generation, fill: (prefill: Prefill) => void): MenuItem[] {
  const { kind } = generation;
  const words = prefillOf(generation, 'prompt');
  const seed = drawnSeed(generation);
  return [
    ...(Object.keys(words.input ?? {}).length > 0
      ? [{ label: 'Use the prompt', run: () => fill(words) }]
      : []),
    { label: 'Use all settings', run: () => fill(prefillOf(generation, 'all')) },
    { label: 'Use all, same seed', run: () => fill(prefillOf(generation, 'same')) },
    { label: 'Use all, new seed', run: () => fill(prefillOf(generation, 'new')) },
    {
      label: 'Use its seed',
      run: () =>
        seed === undefined ? say('Its maker does not tell the seed.') : fill({ kind, input: { seed } }),
    },
  ];
}
