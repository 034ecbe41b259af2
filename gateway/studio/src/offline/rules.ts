/** What the service worker does with a request, by nothing but its method, address and purpose. */
export type Way =
  /** Not its business. */
  | 'pass'
  /** The application's page: from the network, and without one as it was. */
  | 'page'
  /** A file with a hashed name: kept for as long as its version is. */
  | 'asset'
  /** A small picture of something that was made: the last ones are kept. */
  | 'thumbnail'
  /** The first page of a list, or who is here: from the network, and without one as it was. */
  | 'answer'
  /** What may end a session: then all that was kept for the account goes. */
  | 'end';

export interface Asked {
  method: string;
  url: URL;
  isNavigation: boolean;
}

/** Names of the caches that are somebody's own. */
export const KEPT = /^penstock-(thumbnails|answers)-/;
export const MOST_THUMBNAILS = 50;
export const MOST_ANSWERS = 24;
export const WHO = '/api/auth/me';
export const LOGOUT = '/api/auth/logout';
const REFRESH = '/api/auth/refresh';

const ID = '[0-9a-f-]{36}';
const SMALL_PX = 640;
const THUMBNAIL = new RegExp(`^/api/v1/(assets/${ID}|generations/${ID}/outputs/\\d+)/(thumbnail|poster)$`);
const PICTURE = new RegExp(`^/api/v1/(assets/${ID}/file|generations/${ID}/outputs/\\d+)$`);
const ANSWERS = new Set([
  WHO,
  '/api/v1/overview',
  '/api/v1/models',
  '/api/v1/assets',
  '/api/v1/generations',
  '/api/v1/projects',
]);

/** `root` is the path below which the gateway answers. What may hold secrets (keys, webhooks, links) passes. */
export function wayOf({ method, url, isNavigation }: Asked, root: string): Way {
  if (!url.pathname.startsWith(`${root}/`)) return 'pass';
  const path = url.pathname.slice(root.length);
  if (method === 'POST' && (path === LOGOUT || path === REFRESH)) return 'end';
  if (method !== 'GET') return 'pass';
  if (isNavigation) return path === '/studio' || path.startsWith('/studio/') ? 'page' : 'pass';
  if (path.startsWith('/studio/assets/')) return 'asset';
  if (THUMBNAIL.test(path)) return 'thumbnail';
  if (PICTURE.test(path)) return isSmall(url) ? 'thumbnail' : 'pass';
  return ANSWERS.has(path) && isFirst(url) ? 'answer' : 'pass';
}

function isSmall(url: URL): boolean {
  const width = Number(url.searchParams.get('w'));
  return width > 0 && width <= SMALL_PX;
}

/** Later pages and searches are many, and nobody looks for them offline. */
function isFirst(url: URL): boolean {
  return !url.searchParams.has('after') && !url.searchParams.has('q');
}
