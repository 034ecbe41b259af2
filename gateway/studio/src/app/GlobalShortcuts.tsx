import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { KINDS, lastKind } from '@/features/create/kinds';
import { LEAVE_FIELD } from '@/keyboard/leaving';
import { type Shortcut, useShortcuts } from '@/keyboard/registry';
import { ShortcutHelp } from '@/keyboard/ShortcutHelp';
import { say } from '@/ui/toasts';

/** The keys that work in every view of the studio. */
export function GlobalShortcuts() {
  const navigate = useNavigate();
  const [helps, setHelps] = useState(false);
  const kinds: Shortcut[] = KINDS.map((kind, index) => ({
    chord: String(index + 1),
    label: `Create: ${kind.label}`,
    run: () => void navigate({ to: '/studio/create/$kind', params: { kind: kind.name } }),
  }));
  useShortcuts('Everywhere', [
    ...kinds,
    { chord: '7', label: 'Create: Books, later', run: () => say('Books join later. Texts are made with 6.') },
    { chord: 'g', label: 'Gallery', run: () => void navigate({ to: '/studio/gallery' }) },
    { chord: 'h', label: 'History', run: () => void navigate({ to: '/studio/history' }) },
    {
      chord: 'p',
      label: 'Preview',
      run: () => void navigate({ to: '/studio/create/$kind', params: { kind: lastKind() } }),
    },
    { chord: '/', label: 'Search', run: () => void toSearch(navigate) },
    LEAVE_FIELD,
    { chord: '?', label: 'These keys', run: () => setHelps(true) },
  ]);
  return <ShortcutHelp open={helps} onClose={() => setHelps(false)} />;
}

/** The search field of the view, else the gallery's. */
async function toSearch(navigate: ReturnType<typeof useNavigate>): Promise<void> {
  if (focusSearch()) return;
  await navigate({ to: '/studio/gallery' });
  for (let tries = 0; tries < 30 && !focusSearch(); tries++)
    await new Promise((next) => setTimeout(next, 100));
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('main input[type=search]');
  field?.focus();
  field?.select();
  return field !== null;
}
