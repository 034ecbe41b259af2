import type { ComponentProps } from 'react';
import styles from './AmountInput.module.css';
import { TextInput } from './TextInput';

/** Dollars; read them with `nanosOf`. */
export function AmountInput(props: ComponentProps<'input'>) {
  return (
    <div className={styles.box}>
      <span aria-hidden="true">$</span>
      <TextInput inputMode="decimal" autoComplete="off" {...props} />
    </div>
  );
}
