import { type ReactNode, useId } from 'react';
import { separated } from './digits';
import styles from './Field.module.css';

/** What a field gives its input: `<Field label="Name">{(wires) => <TextInput {...wires} />}</Field>`. */
export interface Wires {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
}

interface Props {
  label: string;
  hint?: ReactNode;
  /** Why it is refused, such as `problem?.of('input.prompt')`. */
  error?: string | null;
  /** How many characters there are, and may be. */
  count?: { now: number; most: number };
  hideLabel?: boolean;
  children: (wires: Wires) => ReactNode;
}

export function Field({ label, hint, error, count, hideLabel, children }: Props) {
  const id = useId();
  const below = `${id}-below`;
  const over = count !== undefined && count.now > count.most;
  const described = Boolean(hint || error || count);
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={hideLabel ? 'unseen' : styles.label}>
        {label}
      </label>
      {children({
        id,
        ...(described && { 'aria-describedby': below }),
        ...((error || over) && { 'aria-invalid': true as const }),
      })}
      {described && (
        <div id={below} className={styles.below}>
          <span className={error ? styles.error : undefined}>{error ?? hint}</span>
          {count && (
            <span className={over ? styles.error : styles.count}>
              {separated(count.now)} / {separated(count.most)}
            </span>
          )}
        </div>
      )}
    </div>
  );
}
