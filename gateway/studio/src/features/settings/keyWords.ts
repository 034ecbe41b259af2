import type { ApiKey, KeyRequest } from '@/api/apiKeys';
import { nanosOf } from '@/ui/amount';

export interface KeyWords {
  name: string;
  scope: string;
  kinds: string[];
  project: string;
  budget: string;
  /** What the budget is for: a day, a week, a month, or all time. */
  per: string;
  /** A day, or nothing: it does not expire. */
  expires: string;
}

export const BLANK: KeyWords = {
  name: '',
  scope: 'write',
  kinds: [],
  project: '',
  budget: '',
  per: 'total',
  expires: '',
};

const PERIODS = ['total', 'day', 'week', 'month'] as const;

/** Each scope includes those before it. */
const LADDER = ['read', 'write', 'admin'] as const;

/** The request of a form; null when its budget is no amount. */
export function requestOf(words: KeyWords): KeyRequest | null {
  const budget = words.budget.trim() === '' ? null : nanosOf(words.budget);
  if (words.budget.trim() !== '' && budget === null) return null;
  const scope = LADDER.find((one) => one === words.scope) ?? 'read';
  return {
    name: words.name.trim(),
    scopes: [scope],
    kinds: words.kinds as KeyRequest['kinds'],
    project_id: words.project || null,
    budget_nanos: budget,
    budget_period: PERIODS.find((one) => one === words.per) ?? 'total',
    expires_at: words.expires ? `${words.expires}T23:59:59Z` : null,
  };
}

export type KeyState = 'works' | 'ends' | 'expired' | 'revoked';

/** Whether a key works; one that was rotated still does for the overlap, and ends then. */
export function stateOf(key: ApiKey, now: number): KeyState {
  if (key.revoked_at) return Date.parse(key.revoked_at) > now ? 'ends' : 'revoked';
  if (key.expires_at && Date.parse(key.expires_at) <= now) return 'expired';
  return 'works';
}
