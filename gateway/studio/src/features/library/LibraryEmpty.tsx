import { SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';

interface Props {
  filtered: boolean;
  onClear: () => void;
  children: ReactNode;
}

/** Nothing here: because of the filters, or since nothing was made yet. */
export function LibraryEmpty({ filtered, onClear, children }: Props) {
  if (!filtered) return children;
  return (
    <EmptyState
      icon={<SearchX />}
      title="Nothing matches"
      action={<Button onClick={onClear}>Clear the search and filters</Button>}
    >
      Words are looked for from their beginning. Fewer of them, or other filters, may find it.
    </EmptyState>
  );
}
