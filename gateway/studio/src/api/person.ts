/**
 * What the browser keeps of a person besides their session: unsent forms, what the previews showed. It goes when they
 * sign out, and when somebody else signs in.
 */
const OWN = /^penstock-(draft|shown)-/;
const WHO = 'penstock-person';

type Forgotten = () => void;
const listeners = new Set<Forgotten>();
let here: string | null = null;

/** Called when what a person left is gone from the browser's storage, for those who also have it in memory. */
export function onForget(listener: Forgotten): void {
  listeners.add(listener);
}

/** Says who is here. What somebody else left goes. */
export function isHere(id: string): void {
  const before = here ?? localStorage.getItem(WHO);
  if (before !== null && before !== id) forgetPerson();
  here = id;
  try {
    localStorage.setItem(WHO, id);
  } catch {
    // A full storage keeps no more drafts either.
  }
}

export function forgetPerson(): void {
  here = null;
  localStorage.removeItem(WHO);
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of names(storage)) if (OWN.test(name)) storage.removeItem(name);
  }
  for (const listener of listeners) listener();
}

function names(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, n) => storage.key(n) ?? '');
}
