import { address } from '@/api/address';
import { problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';
import type { Entry } from '@/embed/protocol';

const MOST = 50;

interface Row {
  generation_id: string;
  type: string;
  prompt: string | null;
  model: string | null;
  settings: Record<string, unknown>;
  result_url: string;
  thumbnail_url: string | null;
  created_at: string;
}

/** The newest of what was made, in the words of seed 002. */
export async function history(): Promise<Entry[]> {
  const response = await sessionFetch(new Request(address(`/api/creative/history?limit=${MOST}`)));
  const body = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, body);
  return (body as { generations: Row[] }).generations.map(entryOf);
}

/** Those of it that can be looked at. */
export async function gallery(): Promise<Entry[]> {
  return (await history()).filter((entry) => entry.type === 'image' || entry.type === 'video');
}

function entryOf(row: Row): Entry {
  const { type, prompt, model, settings } = row;
  return {
    id: row.generation_id,
    type,
    prompt,
    model,
    settings,
    url: row.result_url,
    thumbnail: row.thumbnail_url,
    createdAt: row.created_at,
  };
}
