import type { Generation } from '@/api/client';

/** What was asked for, in words; a picture to enlarge has none. */
export function promptOf(generation: Pick<Generation, 'input'>): string | null {
  const { prompt, text, messages } = generation.input as Record<string, unknown>;
  const last = Array.isArray(messages) ? (messages.at(-1) as { content?: unknown } | undefined) : undefined;
  const said = prompt ?? text ?? last?.content;
  return typeof said === 'string' && said !== '' ? said : null;
}

const NAMES: Readonly<Record<string, string>> = { upscale: 'Enlarged picture' };

/** A name for it. */
export function titleFor(generation: Pick<Generation, 'input' | 'kind'>): string {
  return promptOf(generation) ?? NAMES[generation.kind] ?? generation.kind;
}
