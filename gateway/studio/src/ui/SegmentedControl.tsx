import { type ReactNode, useId } from 'react';
import { classes } from './classes';
import styles from './SegmentedControl.module.css';

export interface Segment<T extends string> {
  value: T;
  label: string;
  icon?: ReactNode;
}

interface Props<T extends string> {
  label: string;
  segments: readonly Segment<T>[];
  value: T;
  onChange: (value: T) => void;
  /** Icons only; the labels are for those who do not see them. */
  compact?: boolean;
}

/** A choice among few, all in sight. */
export function SegmentedControl<T extends string>({ label, segments, value, onChange, compact }: Props<T>) {
  const name = useId();
  return (
    <fieldset className={styles.group}>
      <legend className="unseen">{label}</legend>
      {segments.map((segment) => (
        <label key={segment.value} className={styles.segment} title={compact ? segment.label : undefined}>
          <input
            type="radio"
            className="unseen"
            name={name}
            value={segment.value}
            checked={segment.value === value}
            onChange={() => onChange(segment.value)}
          />
          {segment.icon}
          <span className={classes(compact && 'unseen')}>{segment.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
