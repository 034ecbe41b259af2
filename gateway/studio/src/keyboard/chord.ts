/** A shortcut in words: `g`, `?`, `Shift+R`, `Mod+Enter` (Ctrl, or ⌘ on a Mac), `ArrowLeft`, `Space`. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);

export function matches(chord: string, event: Pressed): boolean {
  const words = wordsOf(chord);
  const key = words.pop() ?? '';
  const wants = new Set(words);
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  // Which signs need Shift differs by keyboard, so it matters for letters and named keys only.
  if ((letter || key.length > 1) && event.shiftKey !== wants.has('Shift')) return false;
  if ((event.ctrlKey || event.metaKey) !== wants.has('Mod')) return false;
  if (event.altKey !== wants.has('Alt')) return false;
  const name = event.key === ' ' ? 'Space' : event.key;
  return letter ? name.toLowerCase() === key.toLowerCase() : name === key;
}

/** A plus at the end is the key itself. */
function wordsOf(chord: string): string[] {
  return chord.split(/\+(?!$)/);
}

const SIGNS: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Delete: 'Del',
};

/** The keys as they are printed on a keyboard. */
export function printed(chord: string, mac = MAC): string[] {
  return wordsOf(chord).map((word) => {
    if (word === 'Mod') return mac ? '⌘' : 'Ctrl';
    return SIGNS[word] ?? (word.length === 1 ? word.toUpperCase() : word);
  });
}
