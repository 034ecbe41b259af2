import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { OPS_PLACES } from '@/app/places';
import { LEAVE_FIELD } from '@/keyboard/leaving';
import { useShortcuts } from '@/keyboard/registry';
import { ShortcutHelp } from '@/keyboard/ShortcutHelp';

/** The keys that work in every operators' view: a number is a place of the navigation. */
export function OpsShortcuts() {
  const navigate = useNavigate();
  const [helps, setHelps] = useState(false);
  useShortcuts('Operations', [
    ...OPS_PLACES.flat().map((place, index) => ({
      chord: String(index + 1),
      label: place.label,
      run: () => void navigate(place.link as { to: '/ops/queues' }),
    })),
    { chord: '/', label: 'Search', run: focusSearch },
    LEAVE_FIELD,
    { chord: '?', label: 'These keys', run: () => setHelps(true) },
  ]);
  return <ShortcutHelp open={helps} onClose={() => setHelps(false)} />;
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('main input[type=search]');
  field?.focus();
  field?.select();
}
