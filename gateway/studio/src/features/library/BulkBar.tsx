import { Columns2, Download, FolderInput, RotateCcw, Star, Tag, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { MOST_AT_ONCE } from '@/api/assets';
import { useProjectChoices } from '@/api/projectChoices';
import { Button, IconButton } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Menu } from '@/ui/Menu';
import styles from './BulkBar.module.css';
import { changeAll, counted, fromTrash, toTrash, zip } from './deeds';
import { TagDialog } from './TagDialog';
import { bytes } from './words';

interface Props {
  /** The marked assets; of those that are not loaded only the number is known. */
  ids: readonly string[];
  sizeBytes: number;
  trash?: boolean;
  onAll?: () => void;
  onMatching?: () => Promise<void>;
  onCompare?: () => void;
  onDelete?: () => void;
  onClear: () => void;
}

/** What can be done with everything that is marked. */
export function BulkBar({ ids, sizeBytes, trash, onAll, onMatching, onCompare, onDelete, onClear }: Props) {
  const projects = useProjectChoices();
  const [tags, setTags] = useState(false);
  const [busy, setBusy] = useState<'zip' | 'matching' | null>(null);
  const during = async (what: 'zip' | 'matching', work: Promise<void> | undefined) => {
    setBusy(what);
    await work;
    setBusy(null);
  };
  const move = (projectId: string | null) => void changeAll(ids, 'move', { project_id: projectId });
  const places = [
    ...(projects.data ?? []).map(({ id, name }) => ({ label: name, run: () => move(id) })),
    { label: 'No project', run: () => move(null) },
  ];
  const few = ids.length > 0 && ids.length <= MOST_AT_ONCE;
  return (
    <section aria-label="Selection" className={styles.bar}>
      <strong className={styles.count} aria-live="polite">
        {ids.length.toLocaleString('en')} selected
      </strong>
      {onAll && (
        <Button size="sm" look="quiet" onClick={onAll}>
          All here
        </Button>
      )}
      {onMatching && (
        <Button
          size="sm"
          look="quiet"
          busy={busy === 'matching'}
          title={`All that match, up to ${MOST_AT_ONCE.toLocaleString('en')}`}
          onClick={() => void during('matching', onMatching())}
        >
          All matching
        </Button>
      )}
      <span className={styles.deeds}>
        {trash ? (
          <Button
            size="sm"
            icon={<RotateCcw />}
            disabled={!few}
            onClick={() => {
              void fromTrash(ids);
              onClear();
            }}
          >
            Restore
          </Button>
        ) : (
          <>
            {onCompare && (
              <Button size="sm" icon={<Columns2 />} disabled={ids.length !== 2} onClick={onCompare}>
                Compare
              </Button>
            )}
            <IconButton
              name="Add to favourites"
              icon={<Star />}
              size="sm"
              disabled={!few}
              onClick={() => void changeAll(ids, 'favorite')}
            />
            <IconButton name="Tag" icon={<Tag />} size="sm" disabled={!few} onClick={() => setTags(true)} />
            <Menu
              name="Move to a project"
              button={<FolderInput aria-hidden="true" />}
              items={places}
              className={classes(buttons.button, buttons.icon, buttons.quiet, buttons.sm)}
            />
            <Button
              size="sm"
              icon={<Download />}
              busy={busy === 'zip'}
              disabled={!few}
              onClick={() => void during('zip', zip(ids))}
            >
              Zip{sizeBytes > 0 && ` · ${bytes(sizeBytes)}`}
            </Button>
            <IconButton
              name={`Delete ${counted(ids.length, 'item')}`}
              icon={<Trash2 />}
              size="sm"
              disabled={ids.length === 0}
              onClick={() => {
                if (onDelete) onDelete();
                else void toTrash(ids);
                onClear();
              }}
            />
          </>
        )}
        <IconButton name="Clear the selection" icon={<X />} size="sm" onClick={onClear} />
      </span>
      <TagDialog open={tags} ids={ids} onClose={() => setTags(false)} />
    </section>
  );
}
