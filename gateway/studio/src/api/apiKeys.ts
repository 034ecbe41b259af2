import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';
import { keys } from './keys';

export type ApiKey = Schema['KeyResource'];
export type NewApiKey = Schema['NewKeyResource'];
export type KeyRequest = Schema['KeyRequest'];

export function useApiKeys() {
  return useQuery({ queryKey: keys.apiKeys, queryFn: fetchKeys });
}

async function fetchKeys(): Promise<ApiKey[]> {
  return (await taken(api.GET('/api/v1/keys'))).data;
}

/** The answer has the secret, this once. */
export function createKey(request: KeyRequest): Promise<NewApiKey> {
  return taken(api.POST('/api/v1/keys', { body: request }));
}

/** A successor with the same rights; the old one works for the overlap. */
export function rotateKey(id: string, overlapS: number): Promise<NewApiKey> {
  return taken(
    api.POST('/api/v1/keys/{id}/rotate', { params: { path: { id } }, body: { overlap_s: overlapS } }),
  );
}

export function revokeKey(id: string) {
  return taken(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } }));
}
