import { api, type Schema, taken } from './client';

export type ShareLink = Schema['LinkResource'];

/** An address of an output for people without an account, until it expires. */
export function share(generationId: string, n: number, expiresInS: number): Promise<ShareLink> {
  return taken(
    api.POST('/api/v1/links', {
      body: { generation_id: generationId, upload_id: null, n, expires_in_s: expiresInS },
    }),
  );
}
