import { ROOT } from '@/api/address';
import { bearer } from '@/api/bearer';
import { sessionFetch } from '@/api/session';

const MOST_KEPT = 200;
const FILE = /\/api\/v1\/(assets|generations|uploads)\/.+/;

/**
 * Elements that show files ask for them by themselves, without a token, and a frame of another site has no cookie.
 * With a token their addresses are therefore read here, and what they show is a copy in memory.
 */
export function readFilesWithToken(): void {
  const setAttribute = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (this: Element, name: string, value: string) {
    if (SHOWING.has(name) && this instanceof HTMLElement && isFile(value)) show(this, name, value);
    else setAttribute.call(this, name, value);
  };
  for (const [prototype, name] of [
    [HTMLImageElement.prototype, 'src'],
    [HTMLMediaElement.prototype, 'src'],
    [HTMLVideoElement.prototype, 'poster'],
  ] as const) {
    const property = Object.getOwnPropertyDescriptor(prototype, name);
    Object.defineProperty(prototype, name, {
      ...property,
      set(this: HTMLElement, value: string) {
        this.setAttribute(name, value);
      },
    });
  }
  document.addEventListener('click', save, { capture: true });

  function show(element: HTMLElement, name: string, address: string): void {
    element.dataset[`wanted${name}`] = address;
    void copyOf(address).then((copy) => {
      // It may have been given another address meanwhile. One that fails shows as it would without a copy.
      if (element.dataset[`wanted${name}`] !== address) return;
      setAttribute.call(element, name, copy ?? address);
    });
  }
}

const SHOWING = new Set(['src', 'poster']);

function isFile(value: string): boolean {
  if (bearer() === null) return false;
  const url = new URL(value, document.baseURI);
  return url.origin === location.origin && url.pathname.startsWith(`${ROOT}/`) && FILE.test(url.pathname);
}

const copies = new Map<string, Promise<string | null>>();

function copyOf(address: string): Promise<string | null> {
  let copy = copies.get(address);
  if (!copy) {
    copy = read(address)
      .then((blob) => blob && URL.createObjectURL(blob))
      .catch(() => null);
    copies.set(address, copy);
    for (const [oldest, its] of copies) {
      if (copies.size <= MOST_KEPT) break;
      copies.delete(oldest);
      void its.then((url) => url && URL.revokeObjectURL(url));
    }
  }
  return copy;
}

async function read(address: string): Promise<Blob | null> {
  const response = await sessionFetch(new Request(new URL(address, document.baseURI)));
  return response.ok ? response.blob() : null;
}

/** The same for what a link would save. */
function save(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link?.hasAttribute('download') || link.href.startsWith('blob:') || !isFile(link.href)) return;
  event.preventDefault();
  void read(link.href).then((blob) => {
    if (!blob) return;
    const saved = document.createElement('a');
    saved.href = URL.createObjectURL(blob);
    saved.download = link.download || link.href.split('/').at(-1) || 'file';
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
  });
}
