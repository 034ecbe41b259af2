import type { FormField } from './fields';

/** What somebody chose, by parameter; what is not here is left to the model. */
export type Values = Readonly<Record<string, unknown>>;

/** Parameters that mean nothing without another. */
const NEEDS: Readonly<Record<string, string>> = { images: 'image', mask: 'image', consent: 'voice_sample' };

/** Of these, the later choice replaces the earlier. */
const EXCLUDES: Readonly<Record<string, string>> = { size: 'aspect_ratio', aspect_ratio: 'size' };

export function isBlank(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

export function withValue(values: Values, name: string, value: unknown): Values {
  const next: Record<string, unknown> = { ...values };
  delete next[name];
  if (isBlank(value)) return next;
  const rival = EXCLUDES[name];
  if (rival) delete next[rival];
  return { ...next, [name]: value };
}

/** Whether a model takes the value of a field. */
export function takes(field: FormField, value: unknown): boolean {
  if (field.choices.length > 0) return field.choices.some((choice) => choice.value === value);
  if (typeof value === 'number') {
    return (field.min === null || value >= field.min) && (field.max === null || value <= field.max);
  }
  if (Array.isArray(value)) return field.maxItems === null || value.length <= field.maxItems;
  return true;
}

/** What is sent: what was chosen, of that which the model takes. */
export function inputOf(values: Values, fields: readonly FormField[]): Record<string, unknown> {
  const given = Object.entries(values).filter(([name, value]) => {
    const field = fields.find((one) => one.name === name);
    const needed = NEEDS[name];
    if (needed !== undefined && isBlank(values[needed])) return false;
    return field !== undefined && !isBlank(value) && takes(field, value);
  });
  return Object.fromEntries(given);
}

/** The names of what was chosen and the model does not take: it is kept for one that does. */
export function leftOut(values: Values, fields: readonly FormField[]): string[] {
  return Object.entries(values)
    .filter(([name, value]) => {
      const field = fields.find((one) => one.name === name);
      return !isBlank(value) && (field === undefined || !takes(field, value));
    })
    .map(([name]) => name);
}

const SEED_LIMIT = 2 ** 32;

/** The requests of one press: one with the model's own count when it has one so large, else as many as asked. */
export function inputsOf(
  values: Values,
  fields: readonly FormField[],
  times: number,
): Record<string, unknown>[] {
  const { count: _, ...input } = inputOf(values, fields);
  if (times === 1) return [input];
  const count = fields.find((field) => field.name === 'count');
  if (count && (count.max ?? times) >= times) return [{ ...input, count: times }];
  return Array.from({ length: times }, (_, n) => {
    const { seed } = input;
    return typeof seed === 'number' ? { ...input, seed: (seed + n) % SEED_LIMIT } : input;
  });
}

export function drawnSeed(random: () => number = Math.random): number {
  return Math.floor(random() * SEED_LIMIT);
}
