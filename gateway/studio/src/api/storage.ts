import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';

export type Storage = Schema['StorageResource'];
export type RetentionRule = Schema['RetentionRuleResource'];
export type RetentionReport = Schema['RetentionReport'];

export const STORAGE = ['storage'] as const;
export const RETENTION = ['retention'] as const;

export function useStorage() {
  return useQuery({
    queryKey: STORAGE,
    queryFn: (): Promise<Storage> => taken(api.GET('/api/v1/storage')),
  });
}

export function useRetention() {
  return useQuery({
    queryKey: RETENTION,
    queryFn: async (): Promise<RetentionRule[]> => (await taken(api.GET('/api/v1/retention'))).rules,
  });
}

export async function setRetention(rules: RetentionRule[]): Promise<RetentionRule[]> {
  return (await taken(api.PUT('/api/v1/retention', { body: { rules } }))).rules;
}

/** What rules would put into the trash now. Changes nothing. */
export function tryRetention(rules: RetentionRule[]): Promise<RetentionReport> {
  return taken(api.POST('/api/v1/retention/report', { body: { rules } }));
}
