import type { ComponentProps } from 'react';
import { classes } from './classes';
import styles from './inputs.module.css';

/** One line; give it the wires of a `Field`. */
export function TextInput({ className, ...rest }: ComponentProps<'input'>) {
  return <input type="text" {...rest} className={classes(styles.input, className)} />;
}
