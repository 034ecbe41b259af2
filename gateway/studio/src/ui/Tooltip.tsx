import { cloneElement, type ReactElement, useId } from 'react';
import styles from './Tooltip.module.css';

interface Props {
  text: string;
  /** One focusable element. */
  children: ReactElement<{ 'aria-describedby'?: string }>;
}

/** More words about an element, on hover and on focus. A button's name belongs to the button itself. */
export function Tooltip({ text, children }: Props) {
  const id = useId();
  return (
    <span className={styles.anchor}>
      {cloneElement(children, { 'aria-describedby': id })}
      <span role="tooltip" id={id} className={styles.tip}>
        {text}
      </span>
    </span>
  );
}
