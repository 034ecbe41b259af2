import type { Shortcut } from './registry';

/** For views of a frame: whoever typed comes back to the keys, and what was typed stays. */
export const LEAVE_FIELD: Shortcut = {
  chord: 'Escape',
  label: 'Leave the field',
  inFields: true,
  run: () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  },
};
