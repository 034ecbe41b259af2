import type { Kind, Settings } from '@/embed/protocol';
import { changeDraft, setValue } from '@/features/create/drafts';

/** What the page calls a setting, and what the form calls it. */
const OURS: Readonly<Record<string, string>> = {
  negativePrompt: 'negative_prompt',
  dimensions: 'size',
  duration: 'duration_s',
  imageUrl: 'image',
  faceRestore: 'face_restore',
};

/** Puts settings into the form of a kind. The model stays the one that was chosen there. */
export function offer(kind: Kind, { model: _, engine: __, quantity, ...settings }: Settings): void {
  for (const [name, value] of Object.entries(settings)) setValue(kind, OURS[name] ?? name, value);
  if (typeof quantity === 'number') changeDraft(kind, { times: quantity });
}
