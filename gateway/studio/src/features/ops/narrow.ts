import { useSyncExternalStore } from 'react';

const QUERY = '(max-width: 899px)';

function subscribe(watcher: () => void): () => void {
  const query = matchMedia(QUERY);
  query.addEventListener('change', watcher);
  return () => query.removeEventListener('change', watcher);
}

/** Whether there is room for one column only, where a table becomes a list of cards. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(QUERY).matches);
}
