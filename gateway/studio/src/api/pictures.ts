import { address } from './address';
import { api, taken } from './client';
import { problemOf } from './problem';
import { sessionFetch } from './session';

/** Keeps a picture in the library; the path of its small version, which other things can name. */
export async function uploadPicture(file: File): Promise<string> {
  const form = new FormData();
  form.append('file', file);
  const url = new URL(address('/api/v1/uploads:direct'), location.href);
  const response = await sessionFetch(new Request(url, { method: 'POST', body: form }));
  const body = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, body);
  const asset = await taken(api.POST('/api/v1/assets', { body: { upload_id: body.id } as never }));
  return new URL(asset.thumbnail_url ?? asset.file_url, location.href).pathname.replace(address(''), '');
}
