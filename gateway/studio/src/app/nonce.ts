/** What a `<style>` element must bear here; undefined in the dev server, which has no policy. */
export function cspNonce(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce || undefined;
}
