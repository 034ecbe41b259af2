import { useSyncExternalStore } from 'react';
import { asProblem, type Problem } from '@/api/problem';
import { upload } from '@/api/uploads';
import { setFile } from './drafts';
import { thumbnailOf } from './thumbnails';

/** A file on its way to be an input; it goes on while its form is not shown. */
export interface Transfer {
  id: number;
  kind: string;
  field: string;
  name: string;
  /** 0 to 1. */
  progress: number;
  problem: Problem | null;
}

let transfers: readonly Transfer[] = [];
let lastId = 0;
const controls = new Map<number, { abort: AbortController; again: () => void }>();
const watchers = new Set<() => void>();

function set(next: readonly Transfer[]): void {
  transfers = next;
  for (const watcher of watchers) watcher();
}

function change(id: number, part: Partial<Transfer>): void {
  set(transfers.map((one) => (one.id === id ? { ...one, ...part } : one)));
}

/** Uploads a file and makes it the input of a kind's form; the later of two files for one field wins. */
export function bring(kind: string, field: string, file: File, listed = false): void {
  if (!listed) for (const one of transfersOf(kind, field)) giveUp(one.id);
  const id = ++lastId;
  set([...transfers, { id, kind, field, name: file.name, progress: 0, problem: null }]);
  const run = () => void carry(id, kind, field, file, listed);
  controls.set(id, { abort: new AbortController(), again: run });
  run();
}

async function carry(id: number, kind: string, field: string, file: File, listed: boolean): Promise<void> {
  const abort = new AbortController();
  const control = controls.get(id);
  if (!control) return;
  control.abort = abort;
  try {
    const [kept, thumbnail] = await Promise.all([
      upload(file, { signal: abort.signal, onProgress: (progress) => change(id, { progress }) }),
      thumbnailOf(file),
    ]);
    if (abort.signal.aborted) return;
    setFile(
      kind,
      field,
      kept.id,
      { name: file.name, mime: kept.mime, thumbnail, seconds: kept.duration_s },
      listed,
    );
    giveUp(id);
  } catch (error) {
    if (!abort.signal.aborted) change(id, { problem: asProblem(error) });
  }
}

export function giveUp(id: number): void {
  controls.get(id)?.abort.abort();
  controls.delete(id);
  set(transfers.filter((one) => one.id !== id));
}

export function again(id: number): void {
  change(id, { problem: null, progress: 0 });
  controls.get(id)?.again();
}

function transfersOf(kind: string, field: string): readonly Transfer[] {
  return transfers.filter((one) => one.kind === kind && one.field === field);
}

export function useTransfers(): readonly Transfer[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => transfers,
  );
}
