import { AudioLines, Clapperboard, FileText, Image, type LucideIcon, Music, Scaling } from 'lucide-react';

export interface Kind {
  /** As the API names it. */
  name: string;
  label: string;
  icon: LucideIcon;
  /** What an empty preview promises. */
  promise: string;
  /** The product that it is made with where nobody chose another. */
  usual?: string;
}

/** What can be made, in the order of the keys 1 to 6. */
export const KINDS: readonly Kind[] = [
  { name: 'image', label: 'Images', icon: Image, promise: 'Your images appear here', usual: 'flux-2' },
  { name: 'audio', label: 'Audio', icon: AudioLines, promise: 'Your speech is heard here' },
  { name: 'music', label: 'Music', icon: Music, promise: 'Your music is heard here' },
  { name: 'video', label: 'Video', icon: Clapperboard, promise: 'Your videos appear here' },
  { name: 'upscale', label: 'Upscale', icon: Scaling, promise: 'Your larger pictures appear here' },
  { name: 'text', label: 'Text', icon: FileText, promise: 'Your texts appear here' },
];

let last = 'image';

/** The kind that somebody made last, for the way back to it. */
export function lastKind(): string {
  return last;
}

export function rememberKind(kind: string): void {
  if (KINDS.some((one) => one.name === kind)) last = kind;
}
