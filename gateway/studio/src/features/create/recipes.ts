import { draftOf } from './drafts';
import type { FormField } from './fields';
import { KINDS } from './kinds';
import { wordsIn } from './pngs';
import type { Values } from './values';

/** How something was made: the part of a recipe file that a form can show. */
export interface Recipe {
  kind: string;
  model: string | null;
  input: Values;
}

export const RECIPE_NAME = /\.json$/i;

/** The settings in a file of settings, or in a PNG that carries them; null when it is something else. */
export async function recipeIn(file: File): Promise<Recipe | null> {
  const words = RECIPE_NAME.test(file.name) ? await file.text() : await wordsIn(file);
  const recipe = words === null ? null : recipeOf(words);
  return recipe && KINDS.some((one) => one.name === recipe.kind) ? recipe : null;
}

/** The settings in a file, whether a whole recipe or only its request; null when it is something else. */
export function recipeOf(content: string): Recipe | null {
  try {
    const found = JSON.parse(content) as Record<string, unknown>;
    const request = (found.request ?? found) as Record<string, unknown>;
    const { kind, model, input } = request;
    if (typeof kind !== 'string' || typeof input !== 'object' || input === null) return null;
    return { kind, model: typeof model === 'string' ? model : null, input: input as Values };
  } catch {
    return null;
  }
}

/** The settings of a form as a file that can be dropped here again. */
export function recipeFile(kind: string, model: string | null): Blob {
  const { values, times } = draftOf(kind);
  const input = times > 1 ? { ...values, count: times } : values;
  const recipe = { object: 'recipe', version: 1, request: { kind, model, input } };
  return new Blob([`${JSON.stringify(recipe, null, 2)}\n`], { type: 'application/json' });
}

/** The field that holds what is asked for in words. */
export function promptField(fields: readonly FormField[]): FormField | undefined {
  return fields.find((field) => field.widget === 'textarea' && !field.advanced);
}
