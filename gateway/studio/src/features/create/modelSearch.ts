import type { Model } from '@/api/client';

type Searched = Pick<
  Model,
  'id' | 'label' | 'provider' | 'description' | 'aliases' | 'available' | 'shutdown_date'
>;

/** Those with all words of a search in name, provider, alias or description; what can run comes first. */
export function found<T extends Searched>(models: readonly T[], search: string): T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = models.filter((model) => {
    const text = [model.id, model.label, model.provider, model.description, ...model.aliases]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return [...matches.filter((one) => one.available), ...matches.filter((one) => !one.available)];
}

/**
 * The model of a draft; of what was asked for by a product's name, the first that can run. Where nothing was chosen it
 * is the `usual` one, as long as it can run, and rather one whose end is not known.
 */
export function modelOf<T extends Searched>(
  models: readonly T[],
  name: string | null,
  usual: string | null = null,
): T | undefined {
  const named = models.filter((one) => name !== null && isNamed(one, name));
  const candidates = named.length > 0 ? named : models;
  const wanted = name ?? usual;
  return (
    candidates.find((one) => one.id === name) ??
    candidates.find((one) => one.available && wanted !== null && isNamed(one, wanted)) ??
    candidates.find((one) => one.available && one.shutdown_date === null) ??
    candidates.find((one) => one.available) ??
    candidates[0]
  );
}

function isNamed(model: Searched, name: string): boolean {
  return model.id === name || model.aliases.includes(name);
}
