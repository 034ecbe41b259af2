import { say } from '@/ui/toasts';
import { useFill } from './prefill';
import { recipeIn } from './recipes';

/** Fills the form of its kind with the settings of a file, and goes there. */
export function useImport(): (file: File) => Promise<void> {
  const fill = useFill();
  return async (file) => {
    const recipe = await recipeIn(file);
    if (!recipe) {
      say(`${file.name} holds no settings of Penstock's.`, 'bad');
      return;
    }
    fill({ ...recipe, whole: true });
    say(`The form is filled from ${file.name}.`);
  };
}
