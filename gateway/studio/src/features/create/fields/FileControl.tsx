import { ImagePlus, Images } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/ui/Button';
import { useDraft } from '../drafts';
import { bring, useTransfers } from '../transfers';
import choice from './ChoiceControl.module.css';
import type { ControlProps } from './control';
import { FileChip } from './FileChip';
import styles from './FileControl.module.css';
import { PickFile } from './PickFile';
import { RecentPictures } from './RecentPictures';
import { TransferChip } from './TransferChip';

/** A picture as input, or several: from this device, by drop and paste, or one that was made here. */
export function FileControl({ kind, field, value, error, onChange }: ControlProps) {
  const { files } = useDraft(kind);
  const transfers = useTransfers().filter((one) => one.kind === kind && one.field === field.name);
  const [recent, setRecent] = useState(field.required);
  const listed = field.widget === 'files';
  const refs = Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  const most = listed ? (field.maxItems ?? 8) : 1;
  const remove = (ref: string) => onChange(listed ? refs.filter((one) => one !== ref) : undefined);
  return (
    <fieldset className={choice.group}>
      <legend className={choice.legend}>{field.title}</legend>
      <div className={styles.files}>
        {refs.map((ref) => (
          <FileChip key={ref} note={files[ref]} reference={ref} onRemove={() => remove(ref)} />
        ))}
        {transfers.map((transfer) => (
          <TransferChip key={transfer.id} transfer={transfer} />
        ))}
        {refs.length < most && (
          <div className={styles.choose}>
            <PickFile
              name={field.title}
              accept={field.accept.join(',') || 'image/*'}
              multiple={listed}
              onPick={(picked) => {
                for (const file of picked) bring(kind, field.name, file, listed);
              }}
            >
              <ImagePlus aria-hidden="true" />
              <span className={styles.byMouse}>Choose, drop or paste a picture</span>
              <span className={styles.byTouch}>Choose a picture</span>
            </PickFile>
            <Button
              size="sm"
              look="quiet"
              icon={<Images aria-hidden="true" />}
              aria-expanded={recent}
              onClick={() => setRecent(!recent)}
            >
              Recent
            </Button>
          </div>
        )}
      </div>
      {recent && refs.length < most && <RecentPictures kind={kind} field={field.name} listed={listed} />}
      {error && <p className={choice.error}>{error}</p>}
    </fieldset>
  );
}
