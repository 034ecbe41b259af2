import { useTick } from '@/ui/clock';
import { length } from '@/ui/time';

const DAY_S = 86_400;

/** The time of day, and how long that is from now. */
export function NextTry({ at }: { at: string }) {
  const instant = new Date(at);
  const seconds = Math.round((instant.getTime() - useTick()) / 1000);
  const far = seconds >= DAY_S;
  const style = far
    ? ({ dateStyle: 'medium', timeStyle: 'short' } as const)
    : ({ timeStyle: 'medium' } as const);
  return (
    <>
      {' '}
      <time dateTime={at}>{instant.toLocaleString('en', style)}</time>
      {!far && seconds > 0 && <span aria-hidden="true"> (in {countdown(seconds)})</span>}
      {seconds <= 0 && ', any moment now'}
    </>
  );
}

/** Whole seconds: tenths would flicker. */
function countdown(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : length(seconds);
}
