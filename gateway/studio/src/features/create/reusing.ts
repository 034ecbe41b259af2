import { address } from '@/api/address';
import type { Generation } from '@/api/client';
import { fetchRecipe } from '@/api/repeats';
import type { MenuItem } from '@/ui/Menu';
import { say, sayProblem } from '@/ui/toasts';
import { setValue } from './drafts';
import { promptOf } from './prompts';
import { type Recipe, takeAll } from './recipes';
import { withValue } from './values';

/** The ways to take settings of a generation over into the form; none happens by itself. */
export function reuses(generation: Generation, go: (kind: string) => void): MenuItem[] {
  const prompt = promptOf(generation);
  const { kind } = generation;
  const take = (use: (recipe: Recipe) => void) => () =>
    void fetchRecipe(generation.id)
      .then(({ request }) => {
        use(request as unknown as Recipe);
        go(kind);
      })
      .catch(sayProblem);
  return [
    ...(prompt
      ? [
          {
            label: 'Use its prompt',
            run: () => {
              setValue(kind, kind === 'audio' ? 'text' : 'prompt', prompt);
              go(kind);
            },
          },
        ]
      : []),
    { label: 'Use all settings', run: take(takeAll) },
    {
      label: 'Use all, with a new seed',
      run: take((recipe) => takeAll({ ...recipe, input: withValue(recipe.input, 'seed', undefined) })),
    },
    {
      label: 'Use its seed',
      run: take(({ input }) => {
        if (typeof input.seed === 'number') setValue(kind, 'seed', input.seed);
        else say('Its maker does not tell the seed.');
      }),
    },
    {
      label: 'Save its settings as a file',
      run: () => location.assign(address(`/api/v1/generations/${generation.id}/recipe?download=true`)),
    },
  ];
}
