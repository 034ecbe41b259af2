import { ROOT } from '@/api/address';
import { bearer } from '@/api/bearer';
import { problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';
import { save } from '@/ui/save';
import { sayProblem } from '@/ui/toasts';

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
  document.addEventListener('click', saveInstead, { capture: true });

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
  const response = await ask(address);
  return response.ok ? response.blob() : null;
}

function ask(address: string): Promise<Response> {
  return sessionFetch(new Request(new URL(address, document.baseURI)));
}

/** The same for what a link would save. */
function saveInstead(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link?.hasAttribute('download') || link.href.startsWith('blob:') || !isFile(link.href)) return;
  event.preventDefault();
  const { href, download } = link;
  void saved(href, download).catch(sayProblem);
}

async function saved(href: string, name: string): Promise<void> {
  const answer = await ask(href);
  if (!answer.ok) throw problemOf(answer, await answer.json().catch(() => null));
  save(await answer.blob(), name || nameIn(answer) || 'file');
}

/** The name that the gateway gives it. */
function nameIn({ headers }: Response): string | null {
  const [, name] = /filename\*=UTF-8''([^;]+)/.exec(headers.get('Content-Disposition') ?? '') ?? [];
  return name === undefined ? null : decodeURIComponent(name);
}
