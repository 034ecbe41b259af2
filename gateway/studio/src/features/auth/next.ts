import type { useNavigate } from '@tanstack/react-router';
import { queryClient } from '@/api/queries';

const HOME = '/studio';
const OWN = /^\/(studio|ops)(\/|\?|$)/;
const SIGN_IN = /^\/studio\/(login|signup)/;

/** Where to go after signing in: a place of ours, whatever the address claims. */
export function safeNext(next: string | undefined): string {
  return next && OWN.test(next) && !SIGN_IN.test(next) ? next : HOME;
}

/** Begins anew as whoever signed in: nothing of somebody else's stays in sight. */
export async function enter(navigate: ReturnType<typeof useNavigate>, next: string | undefined) {
  queryClient.clear();
  const place = new URL(safeNext(next), location.origin);
  const search = (() => Object.fromEntries(place.searchParams)) as never;
  await navigate({ to: place.pathname as never, search, replace: true });
}
