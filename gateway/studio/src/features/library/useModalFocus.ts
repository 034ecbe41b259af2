import { type RefObject, useEffect } from 'react';

const FOCUSABLE =
  'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, video, summary, [tabindex="0"]';

/** Takes the focus, keeps it inside, holds the page still, and gives the focus back at the end. */
export function useModalFocus(ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const frame = ref.current;
    if (!frame) return;
    const before = document.activeElement as HTMLElement | null;
    const overflow = document.body.style.overflow;
    document.body.style.overflow = 'hidden';
    frame.focus();
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Tab') return;
      const all = [...frame.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((one) => one.offsetParent);
      const edge = event.shiftKey ? all[0] : all.at(-1);
      const active = document.activeElement;
      if (active !== edge && active !== frame && frame.contains(active)) return;
      if (active === frame && !event.shiftKey) return;
      event.preventDefault();
      (event.shiftKey ? all.at(-1) : all[0])?.focus();
    };
    frame.addEventListener('keydown', onKeyDown);
    return () => {
      frame.removeEventListener('keydown', onKeyDown);
      document.body.style.overflow = overflow;
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, [ref]);
}
