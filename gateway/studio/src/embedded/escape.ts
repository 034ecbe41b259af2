const FIELD = 'input, textarea, select, [contenteditable]';

/** Escape closes the window around, unless something inside has a better use for it: a field, a list, a dialog. */
export function leaveOnEscape(leave: () => void): void {
  addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || event.isComposing || isNeeded(event.target)) return;
      event.preventDefault();
      event.stopPropagation();
      leave();
    },
    { capture: true },
  );
}

function isNeeded(target: EventTarget | null): boolean {
  if (document.fullscreenElement || document.querySelector('dialog[open], [aria-modal=true], :popover-open'))
    return true;
  return target instanceof Element && (target.matches(FIELD) || target.closest('[role=menu]') !== null);
}
