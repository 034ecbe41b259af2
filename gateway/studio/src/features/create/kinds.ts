import { AudioLines, Clapperboard, FileText, Image, type LucideIcon, Music, Scaling } from 'lucide-react';

export interface Kind {
  /** As the API names it. */
  name: string;
  label: string;
  icon: LucideIcon;
}

/** What can be made, in the order of the keys 1 to 6. */
export const KINDS: readonly Kind[] = [
  { name: 'image', label: 'Images', icon: Image },
  { name: 'audio', label: 'Audio', icon: AudioLines },
  { name: 'music', label: 'Music', icon: Music },
  { name: 'video', label: 'Video', icon: Clapperboard },
  { name: 'upscale', label: 'Upscale', icon: Scaling },
  { name: 'text', label: 'Text', icon: FileText },
];
