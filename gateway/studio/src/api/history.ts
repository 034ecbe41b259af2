import { address } from './address';
import { api, type Generation, type Schema, taken } from './client';
import { PAGE_SIZE, type Page } from './pages';
import { problemOf } from './problem';
import { sessionFetch } from './session';

export type Submission = Schema['SubmissionResource'];
export type Decision = Schema['Decision'];
export type HistoryFilters = Readonly<Record<string, string | number | boolean | undefined>>;

export function fetchHistory(filters: HistoryFilters, after?: string): Promise<Page<Generation>> {
  const query = { ...filters, limit: PAGE_SIZE, ...(after && { after }) };
  return taken(api.GET('/api/v1/generations', { params: { query: query as never } }));
}

/** What providers were asked for it, and why those. */
export function fetchSubmissions(id: string) {
  return taken(api.GET('/api/v1/generations/{id}/submissions', { params: { path: { id } } }));
}

export interface Happening {
  seq: number;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

/** All that happened to a generation that has ended: its stream of events ends with it. */
export async function fetchHappenings(id: string): Promise<Happening[]> {
  const response = await sessionFetch(
    new Request(new URL(address(`/api/v1/generations/${id}/events`), location.href)),
  );
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  return happeningsOf(await response.text());
}

/** The events of a stream that was read to its end (`data:` lines of the standard's text). */
export function happeningsOf(stream: string): Happening[] {
  const found = stream
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => JSON.parse(line.slice(5)) as Record<string, unknown>)
    .filter((frame) => typeof frame.seq === 'number' && String(frame.type).startsWith('generation.'));
  return found.map((frame) => ({
    seq: frame.seq as number,
    type: String(frame.type),
    at: String(frame.ts),
    data: (frame.data ?? {}) as Record<string, unknown>,
  }));
}

export function restoreGeneration(id: string) {
  return taken(api.POST('/api/v1/generations/{id}/restore', { params: { path: { id } } }));
}

export function removeGenerations(ids: readonly string[]) {
  return taken(api.POST('/api/v1/generations:bulk', { body: { action: 'delete', ids: [...ids] } as never }));
}
