import type { AssetFilters } from '@/api/assets';
import type { HistoryFilters } from '@/api/history';

/** What is looked for, as it stands in the address, so that back and a copied address lead to the same list. */
export interface Filters {
  q?: string;
  kind?: string;
  status?: string;
  favorite?: true;
  tag?: string;
  project?: string;
  model?: string;
  seed?: string;
  size?: string;
  /** At least so many stars. */
  rating?: number;
  /** Days, `2026-05-01`; both are included. */
  since?: string;
  until?: string;
  sort?: 'oldest' | 'rating';
}

/** The filters, and what is open above the list. */
export interface LibrarySearch extends Filters {
  /** Whose details are beside the list. */
  show?: string;
  /** Whether it fills the screen. */
  full?: true;
}

const WORDS = ['q', 'kind', 'status', 'tag', 'project', 'model', 'since', 'until'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SIZE = /^\d{1,5}x\d{1,5}$/;

/** What of an address can be understood; the rest is left out rather than refused. */
export function readSearch(raw: Record<string, unknown>): LibrarySearch {
  const read: LibrarySearch = {};
  for (const name of WORDS) {
    const value = word(raw[name]);
    if (value && (name === 'since' || name === 'until' ? DAY.test(value) : true)) read[name] = value;
  }
  const seed = word(raw.seed);
  if (seed && /^\d{1,19}$/.test(seed)) read.seed = seed;
  const size = word(raw.size);
  if (size && SIZE.test(size)) read.size = size;
  const rating = Number(raw.rating);
  if (rating >= 1 && rating <= 5) read.rating = Math.floor(rating);
  if (raw.favorite === true || raw.favorite === 'true') read.favorite = true;
  if (raw.sort === 'oldest' || raw.sort === 'rating') read.sort = raw.sort;
  const show = word(raw.show);
  if (show) read.show = show;
  if (show && (raw.full === true || raw.full === 'true')) read.full = true;
  return read;
}

function word(value: unknown): string | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  return text === '' ? undefined : text;
}

export function filtersOf({ show: _show, full: _full, ...filters }: LibrarySearch): Filters {
  return filters;
}

/** The filters as `GET /api/v1/assets` takes them. */
export function assetFilters(filters: Filters): AssetFilters {
  const { since, until, status: _status, size, q, ...rest } = filters;
  return given({ ...rest, ...days(since, until), q: [q, size].filter(Boolean).join(' ') || undefined });
}

/** The filters as `GET /api/v1/generations` takes them; it has one order. */
export function historyFilters(filters: Filters): HistoryFilters {
  const { since, until, sort: _sort, ...rest } = filters;
  return given({ ...rest, ...days(since, until) });
}

/** Days as one counts them here, from their first moment to their last. */
function days(since: string | undefined, until: string | undefined) {
  const end = until === undefined ? undefined : new Date(`${until}T00:00:00`);
  end?.setDate(end.getDate() + 1);
  return {
    created_after: since && new Date(`${since}T00:00:00`).toISOString(),
    created_before: end?.toISOString(),
  };
}

function given<T extends Record<string, unknown>>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** Those that somebody can change where `fixed` are the place's own. */
export function without(filters: Filters, fixed: Filters): Filters {
  return Object.fromEntries(Object.entries(filters).filter(([name]) => !(name in fixed)));
}

/** How many conditions there are beside the words and the kind, which are always in sight. */
export function countOf({ q: _q, kind: _kind, ...rest }: Filters): number {
  return Object.values(rest).filter((value) => value !== undefined).length;
}
