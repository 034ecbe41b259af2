import { useBlocker } from '@tanstack/react-router';

const QUESTION = 'What you changed here is not saved. Leave all the same?';

/** Asks before a view is left, or the page closed, with changes that nobody saved. */
export function useUnsaved(dirty: boolean): void {
  useBlocker({ shouldBlockFn: () => dirty && !confirm(QUESTION), enableBeforeUnload: () => dirty });
}
