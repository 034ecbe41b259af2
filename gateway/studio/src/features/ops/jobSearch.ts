import type { JobFilter } from '@/api/ops';
import { fromField } from './moments';

/** The filters as the address has them: texts, of which empty ones are left out. */
export interface JobSearch {
  q?: string;
  kind?: string;
  status?: string;
  stage?: string;
  provider?: string;
  model?: string;
  account?: string;
  code?: string;
  fingerprint?: string;
  from?: string;
  to?: string;
}

export const FILTERS = [
  'q',
  'kind',
  'status',
  'stage',
  'provider',
  'model',
  'account',
  'code',
  'fingerprint',
  'from',
  'to',
] as const satisfies readonly (keyof JobSearch)[];

/** What an address means, whatever somebody wrote into it. */
export function readSearch(raw: Record<string, unknown>): JobSearch {
  const found: JobSearch = {};
  for (const name of FILTERS) {
    const value = raw[name];
    if (typeof value === 'string' && value.trim() !== '') found[name] = value.trim();
    else if (typeof value === 'number') found[name] = String(value);
  }
  return found;
}

/** The same as the API takes it. */
export function filterOf({ kind, status, from, to, ...same }: JobSearch): JobFilter {
  const after = fromField(from ?? '');
  const before = fromField(to ?? '');
  return {
    ...same,
    ...(kind && { kind: kind.split(',') as JobFilter['kind'] }),
    ...(status && { status: status.split(',') as JobFilter['status'] }),
    ...(after && { created_after: after }),
    ...(before && { created_before: before }),
  };
}

export function isFiltered(search: JobSearch): boolean {
  return FILTERS.some((name) => search[name] !== undefined);
}
