/**
 * What a page that embeds the studio and the studio's frame say to each other. The two only greet each other by
 * `window.postMessage`; all else goes through a `MessagePort` that nobody else holds.
 */
export const VERSION = 1;
export const FRAME_NAME = 'creative-studio';

export type Tab = 'images' | 'audio' | 'music' | 'video' | 'upscale' | 'text';
export type ViewName = 'preview' | 'gallery' | 'history';
export type Kind = 'image' | 'audio' | 'music' | 'video' | 'upscale' | 'text';
export type Settings = Record<string, unknown>;

export const KINDS: Readonly<Record<Tab, Kind>> = {
  images: 'image',
  audio: 'audio',
  music: 'music',
  video: 'video',
  upscale: 'upscale',
  text: 'text',
};

/** Something that was made. The addresses work without credentials for a day. */
export interface Result {
  id: string;
  kind: string;
  url: string;
  thumbnail: string | null;
  mime: string | null;
  n: number;
}

/** An entry of the history or the gallery. */
export interface Entry {
  id: string;
  type: string;
  prompt: string | null;
  model: string | null;
  settings: Settings;
  url: string;
  thumbnail: string | null;
  createdAt: string;
}

export interface File {
  blob: Blob;
  name: string;
}

/** What the page asks of the frame. */
export type FrameCalls = {
  open(tab: Tab, view: ViewName): void;
  fill(tab: Tab, settings: Settings): void;
  run(kind: Kind, settings: Settings): Promise<Result>;
  reveal(id: string): void;
  read(url: string): Promise<File>;
  keep(file: File): Promise<Entry>;
  history(): Promise<Entry[]>;
  gallery(): Promise<Entry[]>;
  setToken(token: string | null): void;
};

/** What the frame asks of the page, or tells it. */
export type HostCalls = {
  token(): Promise<string | null>;
  made(result: Result): void;
  moved(tab: Tab): void;
  leave(): void;
};

export interface Hello {
  penstock: 'hello';
  v: typeof VERSION;
}

export interface Connect {
  penstock: 'connect';
  v: typeof VERSION;
  token: string | null;
}

export function isGreeting<T extends Hello | Connect>(data: unknown, what: T['penstock']): data is T {
  if (typeof data !== 'object' || data === null) return false;
  const said = data as Partial<Hello | Connect>;
  return said.penstock === what && said.v === VERSION;
}
