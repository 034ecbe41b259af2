import { useNow } from './clock';
import { span } from './words';

/** How long it has been since then, in this page's milliseconds. */
export function Ticking({ since }: { since: number }) {
  return <>{span(Math.max(0, Math.round((useNow() - since) / 1000)))}</>;
}
