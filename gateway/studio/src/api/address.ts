/**
 * Where things are. The gateway writes `<base href="…/studio/">` into the page, so one build works below any
 * path; the dev server has no base, and then the page lies at the root.
 */
const STUDIO = '/studio/';

export function rootOf(baseURI: string): string {
  const path = new URL(baseURI).pathname;
  return path.endsWith(STUDIO) ? path.slice(0, -STUDIO.length) : '';
}

/** The path below which the gateway answers, without a slash at its end; empty at the top of a host. */
export const ROOT = typeof document === 'undefined' ? '' : rootOf(document.baseURI);

/** The address of a path of the gateway's, such as `/api/v1/models`. */
export function address(path: string): string {
  return ROOT + path;
}

/** The address of a websocket. */
export function socketAddress(path: string): string {
  const url = new URL(address(path), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * The address of a file that an answer names, as this page reaches it: links say the public address, which a
 * tunnel or another name for the same gateway may not share.
 */
export function fileAddress(url: string): string {
  const asked = new URL(url, location.href);
  return asked.origin === location.origin ? url : asked.pathname + asked.search;
}
