import { address } from '@/api/address';
import { KEPT } from './rules';

/**
 * Takes the files of whoever was here out of the browser. Nobody waits for it: the caches are gone in a moment, its
 * own store takes seconds. Over plain http browsers have no caches, and do not clear theirs when a page asks.
 */
export function forgetFiles(): void {
  void dropCaches().catch(() => undefined);
  void fetch(address('/studio/forget'), { keepalive: true }).catch(() => undefined);
}

/** The service worker does so too, but a page that was loaded past it has none. */
async function dropCaches(): Promise<void> {
  if (!('caches' in window)) return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => KEPT.test(name)).map((name) => caches.delete(name)));
}
