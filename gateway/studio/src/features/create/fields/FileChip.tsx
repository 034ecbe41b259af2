import { AudioLines, Image as ImageIcon, X } from 'lucide-react';
import { fileAddress } from '@/api/address';
import { IconButton } from '@/ui/Button';
import { Duration } from '@/ui/Time';
import type { FileNote } from '../drafts';
import styles from './FileChip.module.css';

interface Props {
  reference: string;
  note: FileNote | undefined;
  onRemove: () => void;
}

/** A file that is an input, and how to take it away. */
export function FileChip({ reference, note, onRemove }: Props) {
  const name = note?.name ?? reference;
  const sound = note?.mime.startsWith('audio/');
  return (
    <div className={styles.chip}>
      {note?.thumbnail ? (
        <img
          src={note.thumbnail.startsWith('data:') ? note.thumbnail : fileAddress(note.thumbnail)}
          alt=""
          width={40}
          height={40}
        />
      ) : (
        <span className={styles.icon} aria-hidden="true">
          {sound ? <AudioLines /> : <ImageIcon />}
        </span>
      )}
      <span className={styles.name}>{name}</span>
      {note?.seconds && <Duration seconds={note.seconds} />}
      <IconButton size="sm" name={`Remove ${name}`} icon={<X />} onClick={onRemove} />
    </div>
  );
}
