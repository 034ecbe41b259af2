import type { Model } from '@/api/client';
import type { NewGeneration } from '@/api/generations';
import type { Draft } from './drafts';

type Named = Pick<Model, 'id' | 'provider' | 'aliases' | 'available'>;

/** The name under which others can stand in for a model: one of a product that several of them serve. */
export function sharedName(model: Named, models: readonly Named[]): string | null {
  const others = models.filter((one) => one.id !== model.id && one.available);
  return model.aliases.find((name) => others.some((one) => one.aliases.includes(name))) ?? null;
}

/** A request of a form: of the model itself, or of its product with its provider first. */
export function requestOf(
  kind: string,
  model: Named,
  models: readonly Named[],
  draft: Pick<Draft, 'project' | 'standIns'>,
  input: Record<string, unknown>,
): NewGeneration {
  const name = draft.standIns ? sharedName(model, models) : null;
  return {
    kind,
    input,
    model: name ?? model.id,
    ...(name && { provider: { order: [model.provider], fallbacks: true } }),
    ...(draft.project && { project_id: draft.project }),
  } as unknown as NewGeneration;
}
