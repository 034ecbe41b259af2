import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type LibrarySearch, readSearch } from './filters';

/** What the address says is looked for, and how to change it. A replaced address is not in the way of "back". */
export function useLibrarySearch() {
  const raw = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const search = useMemo(() => readSearch(raw), [raw]);
  const change = (changes: Partial<LibrarySearch>, replace = false) => {
    const next = (before: Record<string, unknown>) => readSearch({ ...before, ...changes });
    void navigate({ to: '.', search: next as never, replace, resetScroll: false });
  };
  return { search, change };
}
