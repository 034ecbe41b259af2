import { Columns2, Download, FolderInput, RotateCcw, Star, Tag, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { MOST_AT_ONCE } from '@/api/assets';
import { useProjectChoices } from '@/api/projects';
import { Button, IconButton } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { size } from '@/ui/bytes';
import { classes } from '@/ui/classes';
import { Menu } from '@/ui/Menu';
import styles from './BulkBar.module.css';
import { changeAll, counted, fromTrash, toTrash, zip } from './deeds';
import { TagDialog } from './TagDialog';

interface Props {
  /** The assets that are marked, or that belong to what is. */
  ids: readonly string[];
  /** How many generations are marked, where it is those and not their outputs. */
  generations?: number;
  sizeBytes: number;
  trash?: boolean;
  onAll?: () => void;
  onMatching?: () => Promise<void>;
  onCompare?: () => void;
  onDelete?: () => void;
  onClear: () => void;
}

/** What can be done with everything that is marked. */
export function BulkBar(props: Props) {
  const { ids, generations, sizeBytes, trash, onAll, onMatching, onCompare, onDelete, onClear } = props;
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
  const chosen = generations ?? ids.length;
  const few = ids.length > 0 && ids.length <= MOST_AT_ONCE;
  return (
    <section aria-label="Selection" className={styles.bar}>
      <strong className={styles.count} aria-live="polite">
        {generations === undefined
          ? `${ids.length.toLocaleString('en')} selected`
          : `${counted(generations, 'generation')} selected`}
      </strong>
      {generations !== undefined && (
        <span aria-live="polite">
          {ids.length > 0 ? `with ${counted(ids.length, 'output')}` : 'without outputs to tag, move or zip'}
        </span>
      )}
      {ids.length > MOST_AT_ONCE && <span>At most {MOST_AT_ONCE.toLocaleString('en')} at once</span>}
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
              <Button size="sm" icon={<Columns2 />} disabled={chosen !== 2} onClick={onCompare}>
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
              disabled={!few}
              className={classes(buttons.button, buttons.icon, buttons.quiet, buttons.sm)}
            />
            <Button
              size="sm"
              icon={<Download />}
              busy={busy === 'zip'}
              disabled={!few}
              onClick={() => void during('zip', zip(ids))}
            >
              Zip{sizeBytes > 0 && ` · ${size(sizeBytes)}`}
            </Button>
            <IconButton
              name={`Delete ${counted(chosen, generations === undefined ? 'item' : 'generation')}`}
              icon={<Trash2 />}
              size="sm"
              disabled={chosen === 0}
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
