import type { ComponentProps } from 'react';
import { classes } from './classes';
import styles from './inputs.module.css';

/** Several lines; it grows with its text. */
export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea rows={4} {...rest} className={classes(styles.input, styles.area, className)} />;
}
