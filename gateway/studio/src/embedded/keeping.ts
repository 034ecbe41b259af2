import { address } from '@/api/address';
import { problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';
import type { Entry, File as Given } from '@/embed/protocol';

interface Asset {
  id: string;
  type: string;
  prompt: string | null;
  model: string | null;
  created_at: string;
}

/** Puts a file of the page's into the library. */
export async function keep({ blob, name }: Given): Promise<Entry> {
  const form = new FormData();
  form.append('file', blob, name);
  const upload = await sent<{ id: string }>('/api/v1/uploads:direct', form);
  const asset = await sent<Asset>('/api/v1/assets', JSON.stringify({ upload_id: upload.id, name }));
  const link = await sent<{ url: string }>('/api/v1/links', JSON.stringify({ upload_id: upload.id }));
  const { id, type, prompt, model, created_at } = asset;
  return { id, type, prompt, model, settings: {}, url: link.url, thumbnail: null, createdAt: created_at };
}

async function sent<T>(path: string, body: FormData | string): Promise<T> {
  const headers = typeof body === 'string' ? { 'Content-Type': 'application/json' } : undefined;
  const response = await sessionFetch(new Request(address(path), { method: 'POST', headers, body }));
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, answer);
  return answer as T;
}
