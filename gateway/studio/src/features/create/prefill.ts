import { useNavigate } from '@tanstack/react-router';
import type { Generation } from '@/api/client';
import { changeDraft, type Draft, draftOf, type FileNote } from './drafts';
import { isBlank, type Values, withValue } from './values';

/** What a form is to begin with. What is left out stays as it is in the form. */
export interface Prefill {
  kind: string;
  /** Null is the first that is available. */
  model?: string | null;
  input?: Values;
  /** The input is all that the form shall have; else it is added to what stands there. */
  whole?: boolean;
  /** Null is none. */
  project?: string | null;
  files?: Readonly<Record<string, FileNote>>;
}

/** A draft with a prefill in it. */
export function filled(draft: Draft, { model, input = {}, whole, project, files }: Prefill): Draft {
  const { count, ...given } = input;
  const begun = whole ? {} : draft.values;
  const values = Object.entries(given).reduce<Values>(
    (now, [name, value]) => (whole && isBlank(value) ? now : withValue(now, name, value)),
    begun,
  );
  return {
    ...draft,
    values,
    ...(model !== undefined && { model }),
    ...(whole && { times: typeof count === 'number' ? count : 1 }),
    ...(project !== undefined && { project }),
    files: { ...draft.files, ...files },
  };
}

export function fill(prefill: Prefill): void {
  changeDraft(prefill.kind, filled(draftOf(prefill.kind), prefill));
}

/** Fills the form of a kind and goes there. */
export function useFill(): (prefill: Prefill) => void {
  const navigate = useNavigate();
  return (prefill) => {
    fill(prefill);
    void navigate({ to: '/studio/create/$kind', params: { kind: prefill.kind } });
  };
}

type Made = Pick<Generation, 'kind' | 'model' | 'input' | 'outputs' | 'project_id'>;

/**
 * `prompt` and `seed` are those alone. `all` is as it was asked for; `same` has the seed that its maker drew as well,
 * `new` has none; `edit` goes back to its project too.
 */
export type Reuse = 'prompt' | 'seed' | 'all' | 'same' | 'new' | 'edit';

/** A generation's settings for the form. */
export function prefillOf(generation: Made, reuse: Reuse): Prefill {
  const { kind, model, project_id } = generation;
  const input = spoken(generation.input);
  if (reuse === 'prompt') return { kind, input: wordsOf(input) };
  if (reuse === 'seed') return { kind, input: { seed: drawnSeed(generation) } };
  const seeds = { all: input.seed, edit: input.seed, same: drawnSeed(generation), new: undefined };
  const whole = { kind, model, input: { ...input, seed: seeds[reuse] }, whole: true };
  return reuse === 'edit' ? { ...whole, project: project_id } : whole;
}

/** The seed that was asked for, else that of the first output where its maker tells it. */
export function drawnSeed({ input, outputs }: Pick<Generation, 'input' | 'outputs'>): number | undefined {
  const seed = (input as Values).seed ?? outputs[0]?.metadata.seed;
  return typeof seed === 'number' ? seed : undefined;
}

const WORDS = ['prompt', 'text', 'lyrics', 'negative_prompt'];

function wordsOf(input: Values): Values {
  return Object.fromEntries(
    Object.entries(input).filter(([name, value]) => WORDS.includes(name) && !isBlank(value)),
  );
}

/** A form has no conversations: of one it gets the last that was said. */
function spoken({ messages, ...input }: Values): Values {
  const last = Array.isArray(messages) ? (messages.at(-1) as { content?: unknown } | undefined) : undefined;
  return typeof last?.content === 'string' ? { ...input, prompt: last.content } : input;
}

/** A picture as the beginning of something else; nothing of another picture's stays. */
export function prefillWith(kind: string, image: string, note: FileNote, prompt: string | null): Prefill {
  const words = prompt !== null && kind !== 'upscale' && { prompt };
  return {
    kind,
    input: { image, images: undefined, mask: undefined, ...words },
    files: { [image]: note },
  };
}
