import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken, unwrapped } from './client';
import { keys } from './keys';

export type ProviderHealth = Schema['ProviderResource'];
export type ProviderKey = Schema['ProviderKeyResource'];
export type ProviderSettings = Schema['ProviderSettingsResource'];
export type ProviderSetting = Schema['ProviderSettingResource'];

export interface SettingsChanges {
  /** All of them, the first choice first: those left out would come after these. */
  providers?: { provider: string; enabled: boolean; monthly_cap_cents?: number | null }[];
  defaults?: Record<string, string>;
  fallbacks?: boolean;
}

const SETTINGS = [...keys.providers, 'settings'] as const;
export const providerKeys = {
  settings: SETTINGS,
  own: [...keys.providers, 'own'] as const,
  health: [...keys.providers, 'health'] as const,
};

export function useProviderSettings() {
  return useQuery({
    queryKey: providerKeys.settings,
    queryFn: (): Promise<ProviderSettings> => unwrapped(api.GET('/api/settings/providers')),
  });
}

export function changeProviderSettings(changes: SettingsChanges): Promise<ProviderSettings> {
  return unwrapped(api.PUT('/api/settings/providers', { body: changes as never }));
}

export function useProviderHealth() {
  return useQuery({
    queryKey: providerKeys.health,
    queryFn: async (): Promise<ProviderHealth[]> => (await taken(api.GET('/api/v1/providers'))).data,
    refetchInterval: 30_000,
  });
}

/** Keys of one's own, without the keys themselves. */
export function useOwnKeys() {
  return useQuery({
    queryKey: providerKeys.own,
    queryFn: (): Promise<ProviderKey[]> => unwrapped(api.GET('/api/api-keys')),
  });
}

/** The provider is asked whether it takes the key before it is kept. */
export function addOwnKey(request: { provider: string; key_name: string; api_key: string }) {
  return unwrapped(api.POST('/api/api-keys', { body: request }));
}

export function deleteOwnKey(id: string) {
  return taken(api.DELETE('/api/api-keys/{id}', { params: { path: { id } } }));
}
