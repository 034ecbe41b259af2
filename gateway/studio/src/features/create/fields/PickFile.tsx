import { type ReactNode, useId } from 'react';
import styles from './PickFile.module.css';

interface Props {
  /** For those who do not see what is inside. */
  name: string;
  accept: string;
  multiple?: boolean;
  onPick: (files: readonly File[]) => void;
  children: ReactNode;
}

/** A place to press for a file of this device. The same file can be picked twice. */
export function PickFile({ name, accept, multiple, onPick, children }: Props) {
  const id = useId();
  return (
    <label className={styles.pick} htmlFor={id}>
      {children}
      <input
        id={id}
        type="file"
        className={styles.input}
        aria-label={name}
        accept={accept}
        multiple={multiple}
        onChange={(event) => {
          onPick([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </label>
  );
}
