import { changeDraft, draftOf } from './drafts';
import type { Values } from './values';

/** What another view leaves for the form to begin with; it is read once. */
const KEY = 'penstock:prefill';

interface Prefill {
  model?: string;
  input?: Values;
  /** `all` replaces what stands in the form; else it is added to it. */
  only?: 'prompt' | 'all';
  project_id?: string;
}

export function takePrefill(kind: string): void {
  const left = sessionStorage.getItem(KEY);
  if (left === null) return;
  sessionStorage.removeItem(KEY);
  const { model, input = {}, only, project_id } = JSON.parse(left) as Prefill;
  const { count, ...given } = input;
  const before = draftOf(kind).values;
  changeDraft(kind, {
    values: only === 'all' ? given : { ...before, ...given },
    ...(model && only === 'all' && { model }),
    ...(typeof count === 'number' && only === 'all' && { times: count }),
    ...(project_id && { project: project_id }),
  });
}
