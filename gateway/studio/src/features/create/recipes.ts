import { address } from '@/api/address';
import { draftOf } from './drafts';
import type { FormField } from './fields';
import type { Values } from './values';

/** How something was made: the part of a recipe file that a form can show. */
export interface Recipe {
  kind: string;
  model: string | null;
  input: Values;
}

export const RECIPE_NAME = /\.json$/i;

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

/** Hands over what makes a generation again, as a file. */
export function saveRecipe(id: string): void {
  const link = document.createElement('a');
  link.href = address(`/api/v1/generations/${id}/recipe?download=true`);
  link.download = '';
  link.click();
}
