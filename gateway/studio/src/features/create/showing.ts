import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import type { Job, Jobs } from '@/live/jobs';
import { live } from '@/live/live';
import type { PreviewName } from './routes';

const KEY = 'penstock-shown-';
const ROUTE = '/_studio/studio/create/$kind';

/** What the preview of a kind shows: in the address, and remembered for whoever comes back to the tab. */
export function useShown(kind: string) {
  const navigate = useNavigate();
  const search = useSearch({ from: ROUTE });
  const shown = search.show ?? sessionStorage.getItem(KEY + kind);
  const panel: PreviewName = search.panel ?? 'preview';
  useEffect(() => {
    if (shown) {
      sessionStorage.setItem(KEY + kind, shown);
      markSeen(shown);
    }
  }, [kind, shown]);
  const go = useCallback(
    (to: { show?: string; panel?: PreviewName }) =>
      void navigate({
        to: '/studio/create/$kind',
        params: { kind },
        search: (before) => {
          const { panel, ...rest } = { ...before, ...to };
          return { ...rest, ...(panel && panel !== 'preview' && { panel }) } as never;
        },
        replace: true,
        resetScroll: false,
      }),
    [navigate, kind],
  );
  const show = useCallback((id: string) => go({ show: id, panel: 'preview' }), [go]);
  return { shown, panel, show, go };
}

const began = Date.now();
const seen = new Set<string>();
const watchers = new Set<() => void>();

function markSeen(id: string): void {
  if (seen.has(id)) return;
  seen.add(id);
  for (const watcher of watchers) watcher();
}

/** What was finished while somebody looked at something else, newest first. */
export function useFresh(kind: string): readonly Job[] {
  const fresh = () => freshIds(live.snapshot().jobs, kind);
  const words = useSyncExternalStore(subscribe, fresh, fresh);
  if (words === '') return [];
  return words.split(' ').flatMap((id) => live.snapshot().jobs.get(id) ?? []);
}

/** As text, for a snapshot is compared by value. */
function freshIds(jobs: Jobs, kind: string): string {
  return (
    [...jobs.values()]
      .filter((job) => job.status === 'completed' && job.resource?.kind === kind)
      // By when it ended, not by when it was heard of: what ended before is told again to a page that just came.
      .filter((job) => Date.parse(job.resource?.completed_at ?? '') > began && !seen.has(job.id))
      .map((job) => job.id)
      .sort((a, b) => (a < b ? 1 : -1))
      .join(' ')
  );
}

function subscribe(watcher: () => void): () => void {
  const end = live.subscribe(watcher);
  watchers.add(watcher);
  return () => {
    end();
    watchers.delete(watcher);
  };
}
