import { Ellipsis } from 'lucide-react';
import { useRef } from 'react';
import { Menu } from '@/ui/Menu';
import { save } from '@/ui/save';
import { say, sayUndoable } from '@/ui/toasts';
import { changeDraft, draftOf } from './drafts';
import { useImport } from './importing';
import { recipeFile } from './recipes';
import styles from './SettingsMenu.module.css';

/** What can be done with a form as a whole: kept as a file, filled from one, emptied. */
export function SettingsMenu({ kind, model }: { kind: string; model: string | null }) {
  const input = useRef<HTMLInputElement>(null);
  const take = useImport();
  return (
    <div className={styles.menu}>
      <Menu
        name="Settings of this form"
        className={styles.button}
        button={<Ellipsis aria-hidden="true" />}
        items={[
          { label: 'Save the settings as a file', run: () => keep(kind, model) },
          { label: 'Fill from a settings file', run: () => input.current?.click() },
          { label: 'Empty the form', run: () => empty(kind) },
        ]}
      />
      <input
        ref={input}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-hidden="true"
        accept="application/json,.json,image/png"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) void take(file);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function keep(kind: string, model: string | null): void {
  save(recipeFile(kind, model), `${kind}.penstock.json`);
  say('The settings are saved. Fill the form from that file to have them again.');
}

function empty(kind: string): void {
  const before = draftOf(kind);
  changeDraft(kind, { values: {}, times: 1, files: {} });
  sayUndoable(
    'The form is empty.',
    () => {},
    () => changeDraft(kind, before),
  );
}
