import { address } from './address';
import { tellWritten } from './answers';
import { bearer, renewBearer } from './bearer';
import { takeEarly } from './early';
import { signsIn } from './installation';

const CSRF_COOKIE = 'penstock_csrf';
const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS']);

type Ended = () => void;
const listeners = new Set<Ended>();
let refreshing: Promise<boolean> | null = null;

/** Called when there is no session any more; returns what takes the listener away. */
export function onSessionEnd(listener: Ended): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** True when there is a token, or this browser was signed in and did not sign out; the session itself may have ended elsewhere. */
export function hasSession(): boolean {
  return bearer() !== null || csrfToken() !== null;
}

/**
 * `fetch` with the session's cookie and, for writes, the token that shows that a page of ours asks. When the
 * access token has run out, the session is refreshed once and the request repeated.
 */
export async function sessionFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const response = tellWritten(request, await (takeEarly(request) ?? fetch(withToken(request))));
  if (response.status !== 401 || isSignIn(request.url)) return response;
  if (await refresh()) return tellWritten(again, await fetch(withToken(again)));
  if (!hasSession()) ended(true);
  return response;
}

/**
 * True when the session goes on; when it is over for certain, the listeners are told. One tab refreshes at a
 * time, for a refresh token is good once: a tab that had to wait finds the new cookies and does not ask again.
 */
export function refresh(): Promise<boolean> {
  if (bearer() !== null) return renewBearer();
  refreshing ??= exclusively(renew)
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

async function exclusively(renewal: (before: string | null) => Promise<boolean>): Promise<boolean> {
  const before = lastRenewal();
  if (!('locks' in navigator)) return renewal(before);
  return navigator.locks.request('penstock-refresh', () => renewal(before));
}

const RENEWED = 'penstock-renewed';

function lastRenewal(): string | null {
  return localStorage.getItem(RENEWED);
}

async function renew(before: string | null): Promise<boolean> {
  if (lastRenewal() !== before) return true;
  if (csrfToken() === null) return ended(signsIn());
  const response = await fetch(
    withToken(
      new Request(address('/api/auth/refresh'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      }),
    ),
  );
  if (!response.ok) return ended(response.status === 401);
  localStorage.setItem(RENEWED, String(Date.now()));
  return true;
}

function ended(certain: boolean): false {
  if (certain) for (const listener of listeners) listener();
  return false;
}

function withToken(request: Request): Request {
  for (const [name, value] of tokenHeader(request.method)) request.headers.set(name, value);
  return request;
}

/**
 * The header, if one is needed, that says who asks or that a page of ours does; for requests that `sessionFetch` does
 * not send.
 */
export function tokenHeader(method: string): readonly [string, string][] {
  const given = bearer();
  if (given !== null) return [['Authorization', `Bearer ${given}`]];
  // To read cookies, the page waits for another process.
  const token = HARMLESS.has(method) ? null : csrfToken();
  return token === null ? [] : [['X-CSRF-Token', token]];
}

function csrfToken(): string | null {
  const found = document.cookie.split('; ').find((cookie) => cookie.startsWith(`${CSRF_COOKIE}=`));
  return found ? decodeURIComponent(found.slice(CSRF_COOKIE.length + 1)) : null;
}

function isSignIn(url: string): boolean {
  return /\/api\/auth\/(login|signup|refresh|logout)$/.test(new URL(url).pathname);
}
