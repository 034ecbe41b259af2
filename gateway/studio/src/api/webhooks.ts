import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';
import { keys } from './keys';
import type { Page } from './pages';

export type Endpoint = Schema['EndpointResource'];
export type NewEndpoint = Schema['NewEndpointResource'];
export type EndpointRequest = Schema['EndpointRequest'];
export type Delivery = Schema['DeliveryResource'];
export type WebhookSecret = Schema['SecretResource'];

export const DELIVERIES = [...keys.webhooks, 'deliveries'] as const;

export function useEndpoints() {
  return useQuery({
    queryKey: [...keys.webhooks, 'endpoints'],
    queryFn: async (): Promise<Endpoint[]> => (await taken(api.GET('/api/v1/webhooks'))).data,
  });
}

export function createEndpoint(request: EndpointRequest): Promise<NewEndpoint> {
  return taken(api.POST('/api/v1/webhooks', { body: request }));
}

export function changeEndpoint(id: string, changes: Partial<EndpointRequest>): Promise<Endpoint> {
  return taken(api.PATCH('/api/v1/webhooks/{id}', { params: { path: { id } }, body: changes as never }));
}

export function deleteEndpoint(id: string) {
  return taken(api.DELETE('/api/v1/webhooks/{id}', { params: { path: { id } } }));
}

export function testEndpoint(id: string): Promise<Delivery> {
  return taken(api.POST('/api/v1/webhooks/{id}/test', { params: { path: { id } } }));
}

export function rotateEndpoint(id: string): Promise<WebhookSecret> {
  return taken(api.POST('/api/v1/webhooks/{id}/rotate', { params: { path: { id } }, body: {} as never }));
}

/** What signs messages to addresses that a request itself named. */
export function fetchDefaultSecret(): Promise<WebhookSecret> {
  return taken(api.GET('/api/v1/webhooks/default/secret'));
}

export async function fetchDeliveries(
  filters: { webhook?: string; state?: string },
  after?: string,
): Promise<Page<Delivery>> {
  const query = { ...(filters.state && { state: filters.state }), ...(after && { after }) } as never;
  if (!filters.webhook) return taken(api.GET('/api/v1/deliveries', { params: { query } }));
  const path = { id: filters.webhook };
  return taken(api.GET('/api/v1/webhooks/{id}/deliveries', { params: { path, query } }));
}

export function redeliver(id: string): Promise<Delivery> {
  return taken(api.POST('/api/v1/deliveries/{id}/redeliver', { params: { path: { id } } }));
}
