import { useSyncExternalStore } from 'react';
import { onForget } from '@/api/person';
import { type Values, withValue } from './values';

/** What a picture or a sound that is an input looks like, for it is only an id to the gateway. */
export interface FileNote {
  name: string;
  mime: string;
  /** A small picture of it, as an address or as data. */
  thumbnail: string | null;
  seconds: number | null;
}

/** The form of one kind as somebody left it. */
export interface Draft {
  /** Null is the first that is available. */
  model: string | null;
  values: Values;
  times: number;
  project: string | null;
  /** Whether others of the same name may do it when the chosen one cannot. */
  standIns: boolean;
  files: Readonly<Record<string, FileNote>>;
}

const EMPTY: Draft = { model: null, values: {}, times: 1, project: null, standIns: false, files: {} };
/** Where forms begin that nobody has touched. */
const FIRST: Readonly<Record<string, Values>> = { image: { style: 'realistic' } };
const KEY = 'penstock-draft-';

const known = new Map<string, Draft>();
const watchers = new Set<() => void>();

onForget(() => {
  known.clear();
  for (const watcher of watchers) watcher();
});

export function draftOf(kind: string): Draft {
  let draft = known.get(kind);
  if (!draft) {
    draft = read(localStorage.getItem(KEY + kind), FIRST[kind]);
    known.set(kind, draft);
  }
  return draft;
}

/** The draft that was kept; one with the values `first` when there is none, or none that can be read. */
export function read(kept: string | null, first: Values = {}): Draft {
  const empty = { ...EMPTY, values: first };
  try {
    const found: unknown = JSON.parse(kept ?? '{}');
    return typeof found === 'object' && found !== null ? { ...empty, ...found } : empty;
  } catch {
    return empty;
  }
}

export function changeDraft(kind: string, change: Partial<Draft>): void {
  const draft = { ...draftOf(kind), ...change };
  known.set(kind, draft);
  try {
    localStorage.setItem(KEY + kind, JSON.stringify(draft));
  } catch {
    // A full or forbidden storage costs the draft after a reload, not the form.
  }
  for (const watcher of watchers) watcher();
}

export function setValue(kind: string, name: string, value: unknown): void {
  changeDraft(kind, { values: withValue(draftOf(kind).values, name, value) });
}

/** Makes a file the input `name`; a list gets it in addition. */
export function setFile(kind: string, name: string, ref: string, note: FileNote, listed = false): void {
  const { values, files } = draftOf(kind);
  const before = Array.isArray(values[name]) ? values[name] : [];
  changeDraft(kind, {
    values: withValue(values, name, listed ? [...before, ref] : ref),
    files: { ...files, [ref]: note },
  });
}

export function useDraft(kind: string): Draft {
  return useSyncExternalStore(subscribe, () => draftOf(kind));
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
