import { useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { sayProblem } from '@/ui/toasts';
import { useFileDrop } from './dropping';
import styles from './FileDrop.module.css';

type Received = { id: number; files: readonly File[]; Dropped: typeof import('./Dropped').Dropped };

/** It leads to a form, so it comes with the form's own file, which is there already where one is in sight. */
const form = () => import('./CreateView');

let lastId = 0;

/** Takes pictures, sounds and settings files that are dropped or pasted anywhere in the studio. */
export function FileDrop() {
  const { kind = null } = useParams({ strict: false });
  const [received, setReceived] = useState<Received | null>(null);
  const over = useFileDrop(
    (files) => void form().then(({ Dropped }) => setReceived({ id: ++lastId, files, Dropped }), sayProblem),
    kind !== null,
  );
  useEffect(() => {
    if (over) form().catch(tellsLater);
  }, [over]);
  return (
    <>
      {over && (
        <div className={styles.veil} aria-hidden="true">
          <p>Drop a picture, a voice or a settings file</p>
        </div>
      )}
      {received && (
        <received.Dropped
          key={received.id}
          files={received.files}
          kind={kind}
          onDone={() => setReceived(null)}
        />
      )}
    </>
  );
}

/** What cannot be loaded is said when something was dropped. */
function tellsLater(): void {}
