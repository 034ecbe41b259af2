import { api, type Schema, taken } from './client';

export type FileLink = Schema['LinkResource'];

/** An address of a file that everybody may open until it ends. */
export function share(
  file: { generation_id: string; n: number } | { upload_id: string },
  expiresInS: number,
): Promise<FileLink> {
  return taken(
    api.POST('/api/v1/links', { body: { ...file, expires_in_s: expiresInS } as Schema['LinkRequest'] }),
  );
}
