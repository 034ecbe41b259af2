import type { AuditQuery } from '@/api/ops';
import { fromField } from './moments';
import { readTexts } from './searching';

/** The filters as the address has them; the times are local. */
export interface AuditSearch {
  action?: string;
  target?: string;
  actor?: string;
  from?: string;
  to?: string;
}

const FILTERS = ['action', 'target', 'actor', 'from', 'to'] as const satisfies readonly (keyof AuditSearch)[];

/** What an address means, whatever somebody wrote into it. */
export function readAuditSearch(raw: Record<string, unknown>): AuditSearch {
  return readTexts(raw, FILTERS);
}

/** The same as the API takes it. */
export function auditQueryOf({ from, to, ...same }: AuditSearch): AuditQuery {
  const since = fromField(from ?? '');
  const until = fromField(to ?? '');
  return { ...same, ...(since && { since }), ...(until && { until }) };
}
