/** What a file that was dropped or pasted can be an input for. */
export interface Purpose {
  kind: string;
  field: string;
  label: string;
}

const EDIT: Purpose = { kind: 'image', field: 'image', label: 'Start an image from it' };
const ANIMATE: Purpose = { kind: 'video', field: 'image', label: 'Make a video that begins with it' };
const ENLARGE: Purpose = { kind: 'upscale', field: 'image', label: 'Enlarge it' };
const SPEAK: Purpose = { kind: 'audio', field: 'voice_sample', label: 'Speak with this voice' };

/** Those for a picture or a sound, the present tab's own first. */
export function purposesOf(mime: string, tab: string): Purpose[] {
  if (mime.startsWith('image/')) {
    return [EDIT, ANIMATE, ENLARGE].sort((a, b) => Number(b.kind === tab) - Number(a.kind === tab));
  }
  return mime.startsWith('audio/') || mime === 'video/webm' ? [SPEAK] : [];
}

/** The one that needs no question: an empty field of the present tab that takes it, or the only one there is. */
export function obvious(purposes: readonly Purpose[], tab: string): Purpose | null {
  if (purposes.length === 1) return purposes[0] ?? null;
  return tab === 'upscale' || tab === 'video' ? (purposes.find((one) => one.kind === tab) ?? null) : null;
}
