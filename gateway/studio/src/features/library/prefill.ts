import type { Generation } from '@/api/client';

/** What the creation form is to begin with. It reads and removes it when it opens. */
export interface Prefill {
  kind: string;
  model: string;
  input: Record<string, unknown>;
  only?: 'prompt' | 'all';
  seed?: 'same' | 'new';
}

const KEY = 'penstock:prefill';

export function leave(prefill: Prefill): void {
  sessionStorage.setItem(KEY, JSON.stringify(prefill));
}

export type Reuse = 'prompt' | 'all' | 'same' | 'new';

/** A generation's settings for the form: the words alone, or everything, with the seed that was drawn or without. */
export function prefillOf(generation: Generation, reuse: Reuse): Prefill {
  const { kind, model } = generation;
  if (reuse === 'prompt') return { kind, model, input: wordsOf(generation.input), only: 'prompt' };
  const { seed: asked, ...rest } = generation.input;
  const seed = asked ?? generation.outputs[0]?.metadata.seed;
  const input = reuse === 'new' || seed === undefined || seed === null ? rest : { ...rest, seed };
  return { kind, model, input, only: 'all', ...(reuse !== 'all' && { seed: reuse }) };
}

function wordsOf(input: Record<string, unknown>): Record<string, unknown> {
  const words = ['prompt', 'text', 'lyrics', 'negative_prompt'];
  return Object.fromEntries(Object.entries(input).filter(([name]) => words.includes(name)));
}

/** A picture as the beginning of something else. */
export function prefillWith(kind: 'upscale' | 'image' | 'video', image: string, prompt?: string): Prefill {
  return { kind, model: '', input: { image, ...(prompt && kind !== 'upscale' && { prompt }) } };
}
