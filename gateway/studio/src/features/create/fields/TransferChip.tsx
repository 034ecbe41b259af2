import { RotateCcw, Upload, X } from 'lucide-react';
import { IconButton } from '@/ui/Button';
import { Progress } from '@/ui/Progress';
import { again, giveUp, type Transfer } from '../transfers';
import styles from './FileChip.module.css';

/** A file on its way: how far it is, or why it did not arrive. */
export function TransferChip({ transfer }: { transfer: Transfer }) {
  const { id, name, progress, problem } = transfer;
  return (
    <div className={styles.chip}>
      <span className={styles.icon} aria-hidden="true">
        <Upload />
      </span>
      <span className={styles.progress}>
        <span className={styles.name}>{name}</span>
        {problem ? (
          <span role="alert" className={styles.problem}>
            {problem.message}
          </span>
        ) : (
          <Progress label={`Uploading ${name}`} value={progress < 1 ? progress : null} />
        )}
      </span>
      {problem && (
        <IconButton size="sm" name={`Upload ${name} again`} icon={<RotateCcw />} onClick={() => again(id)} />
      )}
      <IconButton
        size="sm"
        name={problem ? `Dismiss ${name}` : `Cancel uploading ${name}`}
        icon={<X />}
        onClick={() => giveUp(id)}
      />
    </div>
  );
}
