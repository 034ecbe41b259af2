import type { JobFilter } from '@/api/ops';
import { fromField } from './moments';
import { readTexts } from './searching';

/** The filters as the address has them: texts, of which empty ones are left out. */
export interface JobSearch {
  q?: string;
  kind?: string;
  status?: string;
  stage?: string;
  provider?: string;
  model?: string;
  account?: string;
  tag?: string;
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
  'tag',
  'code',
  'fingerprint',
  'from',
  'to',
] as const satisfies readonly (keyof JobSearch)[];

/** What an address means, whatever somebody wrote into it. */
export function readSearch(raw: Record<string, unknown>): JobSearch {
  return readTexts(raw, FILTERS);
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
