/** What the gateway wrote into the page about itself; the dev server and the build write nothing. */
function fact(name: string): string | null {
  if (typeof document === 'undefined') return null;
  return document.querySelector<HTMLMetaElement>(`meta[name=penstock-${name}]`)?.content ?? null;
}

/** False when everybody who reaches the gateway is its one person. */
export function signsIn(): boolean {
  return fact('sign-in') === 'required';
}

export function isOpen(): boolean {
  return fact('sign-in') === 'open';
}

export function signsUp(): boolean {
  return fact('sign-up') !== 'closed';
}
