import type { ComponentProps } from 'react';
import { classes } from './classes';
import styles from './inputs.module.css';

export interface Option {
  value: string;
  label: string;
  disabled?: boolean;
}

interface Props extends Omit<ComponentProps<'select'>, 'onChange' | 'children'> {
  options: readonly Option[];
  onChange: (value: string) => void;
}

export function Select({ options, onChange, className, ...rest }: Props) {
  return (
    <select
      {...rest}
      className={classes(styles.input, styles.select, className)}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value} disabled={option.disabled}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
