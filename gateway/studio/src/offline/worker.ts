/// <reference lib="webworker" />
import { KEPT, LOGOUT, MOST_ANSWERS, MOST_THUMBNAILS, WHO, wayOf } from './rules';

/** What the build made: its version, and the files of the shell, relative to this one. */
declare const SHELL: { version: string; files: readonly string[] };
declare const self: ServiceWorkerGlobalScope;

const STUDIO = new URL('./', location.href);
const ROOT = STUDIO.pathname.replace(/\/studio\/$/, '');
const PAGE = `${ROOT}/studio`;
const SHELL_CACHE = `penstock-shell-${SHELL.version}`;
const PAGE_WITHIN_MS = 4_000;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting();
});
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(toFront());
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  // The gateway gives a frame in another page a page of its own.
  if (request.destination === 'iframe') return;
  // What a token opens is kept by nobody.
  if (request.headers.has('Authorization')) return;
  const way = wayOf({ method: request.method, url, isNavigation: request.mode === 'navigate' }, ROOT);
  if (way === 'page') event.respondWith(page(event));
  else if (way === 'asset') event.respondWith(asset(request));
  else if (way === 'thumbnail') event.respondWith(thumbnail(event));
  else if (way === 'answer') event.respondWith(answer(request, url));
  else if (way === 'end') event.respondWith(end(request, url));
});

async function toFront(): Promise<void> {
  const [window] = await self.clients.matchAll({ type: 'window' });
  await (window ? window.focus() : self.clients.openWindow(PAGE));
}

async function install(): Promise<void> {
  const cache = await caches.open(SHELL_CACHE);
  await cache.addAll(SHELL.files.map((name) => new URL(name, STUDIO).href));
  await cache.add(new Request(PAGE, { cache: 'no-cache' }));
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith('penstock-shell-') && name !== SHELL_CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await preload();
  await self.clients.claim();
}

/** The page is asked for while this script is still being started; but Firefox ends a navigation whose preload
 * fails, whatever is answered here, and then nothing would be there without a network. */
async function preload(): Promise<void> {
  const early = self.registration.navigationPreload;
  await (navigator.userAgent.includes('Firefox/') ? early?.disable() : early?.enable());
}

/** A network that does not answer counts as none. */
async function page(event: FetchEvent): Promise<Response> {
  const answered = askedAlready(event).then((response) => response ?? fetch(event.request));
  const late = new Promise<never>((_, failed) => setTimeout(failed, PAGE_WITHIN_MS));
  try {
    return await Promise.race([answered, late]);
  } catch {
    return (await caches.match(PAGE, { cacheName: SHELL_CACHE })) ?? answered;
  }
}

async function askedAlready(event: FetchEvent): Promise<Response | undefined> {
  return event.preloadResponse;
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function answer(request: Request, url: URL): Promise<Response> {
  try {
    const response = await fetch(request);
    if (url.pathname === ROOT + WHO && response.ok) await remember(await response.clone().json());
    if (response.ok) await put('answers', request, response.clone(), MOST_ANSWERS);
    return response;
  } catch (error) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

async function thumbnail(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) {
    event.waitUntil(put('thumbnails', request, response.clone(), MOST_THUMBNAILS));
  }
  return response;
}

async function end(request: Request, url: URL): Promise<Response> {
  const response = await fetch(request);
  const ended = response.status === 401 || (url.pathname === ROOT + LOGOUT && response.ok);
  if (ended) await forgetAll();
  return response;
}

/** Who is here. What was kept for somebody else goes. */
async function remember(said: { data?: { id?: string } }): Promise<void> {
  const id = said.data?.id;
  if (!id) return;
  const names = await caches.keys();
  const others = names.filter((name) => KEPT.test(name) && !name.endsWith(id));
  await Promise.all(others.map((name) => caches.delete(name)));
  await Promise.all([caches.open(`penstock-thumbnails-${id}`), caches.open(`penstock-answers-${id}`)]);
}

async function forgetAll(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => KEPT.test(name)).map((name) => caches.delete(name)));
}

/** Keeps it for the account that is here; for nobody when that is not known. The oldest give way. */
async function put(what: 'thumbnails' | 'answers', request: Request, response: Response, most: number) {
  const name = (await caches.keys()).find((one) => one.startsWith(`penstock-${what}-`)) ?? (await ask(what));
  if (!name) return;
  const cache = await caches.open(name);
  await cache.delete(request, { ignoreVary: true });
  await cache.put(request, response);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)));
}

let asking: Promise<void> | null = null;

/** The page asked who is here before this worker heard of it. */
async function ask(what: string): Promise<string | undefined> {
  asking ??= fetch(ROOT + WHO)
    .then(async (response) => response.ok && remember(await response.json()))
    .then(() => undefined)
    .finally(() => {
      asking = null;
    });
  await asking.catch(() => undefined);
  return (await caches.keys()).find((one) => one.startsWith(`penstock-${what}-`));
}
