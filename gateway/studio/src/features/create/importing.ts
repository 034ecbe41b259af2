import { useNavigate } from '@tanstack/react-router';
import { say } from '@/ui/toasts';
import { KINDS } from './kinds';
import { recipeOf, takeAll } from './recipes';

/** Fills the form of its kind with the settings of a file, and goes there. */
export function useImport(): (file: File) => Promise<void> {
  const navigate = useNavigate();
  return async (file) => {
    const recipe = recipeOf(await file.text());
    if (!recipe || !KINDS.some((one) => one.name === recipe.kind)) {
      say(`${file.name} holds no settings of Penstock's.`, 'bad');
      return;
    }
    takeAll(recipe);
    await navigate({ to: '/studio/create/$kind', params: { kind: recipe.kind } });
    say(`The form is filled from ${file.name}.`);
  };
}
