/**
 * The token of a page that embeds the studio, where cookies do not reach. It is in memory only, and gone with the
 * page.
 */
let token: string | null = null;
let renewal: (() => Promise<string | null>) | null = null;

export function bearer(): string | null {
  return token;
}

/** `renew` is asked when the token is good no more. */
export function setBearer(next: string | null, renew?: () => Promise<string | null>): void {
  token = next;
  if (renew) renewal = renew;
}

/** True when there is another token now. */
export async function renewBearer(): Promise<boolean> {
  const before = token;
  const next = await renewal?.().catch(() => null);
  if (!next || next === before) return false;
  setBearer(next);
  return true;
}
