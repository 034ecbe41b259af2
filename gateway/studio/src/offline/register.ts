import { address } from '@/api/address';
import { onForget } from '@/api/person';
import { sayOffer } from '@/ui/toasts';
import { forgetFiles } from './forget';

/** It fetches all of the studio, which may wait until the first view has what it needs. */
const AFTER_MS = 5_000;
const LOOK_EVERY_MS = 3_600_000;

/** Keeps the shell for when there is no network, once the page is there; a new version is offered, not imposed. */
export function startWorker(): void {
  onForget(forgetFiles);
  const start = () => setTimeout(() => void register().catch(() => undefined), AFTER_MS);
  if (document.readyState === 'complete') start();
  else addEventListener('load', start);
}

async function register(): Promise<void> {
  // Not over plain http, not in some private windows, and not in the dev server.
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return;
  const registration = await navigator.serviceWorker.register(address('/studio/sw.js'), {
    scope: address('/studio'),
  });
  watch(registration);
  setInterval(() => void registration.update().catch(() => undefined), LOOK_EVERY_MS);
}

function watch(registration: ServiceWorkerRegistration): void {
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const fresh = registration.installing;
    fresh?.addEventListener('statechange', () => {
      // Without a controller this is the first version, and nobody has an older one.
      if (fresh.state === 'installed' && navigator.serviceWorker.controller) offer(fresh);
    });
  });
}

function offer(fresh: ServiceWorker): void {
  sayOffer('A new version of the studio is ready.', 'Reload', () => {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    fresh.postMessage('take-over');
  });
}
