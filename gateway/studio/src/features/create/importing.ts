import { say } from '@/ui/toasts';
import { KINDS } from './kinds';
import { useFill } from './prefill';
import { recipeOf } from './recipes';

/** Fills the form of its kind with the settings of a file, and goes there. */
export function useImport(): (file: File) => Promise<void> {
  const fill = useFill();
  return async (file) => {
    const recipe = recipeOf(await file.text());
    if (!recipe || !KINDS.some((one) => one.name === recipe.kind)) {
      say(`${file.name} holds no settings of Penstock's.`, 'bad');
      return;
    }
    fill({ ...recipe, whole: true });
    say(`The form is filled from ${file.name}.`);
  };
}
