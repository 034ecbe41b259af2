import type { Wires } from './Field';
import styles from './inputs.module.css';

interface Props extends Partial<Wires> {
  value: number;
  min: number;
  max: number;
  step?: number;
  /** How the value reads: `(n) => `${n} s``. */
  format?: (value: number) => string;
  onChange: (value: number) => void;
}

/** A range with its value beside it. */
export function Slider({ value, format = String, onChange, step = 1, ...rest }: Props) {
  return (
    <div className={styles.slider}>
      <input
        type="range"
        {...rest}
        step={step}
        value={value}
        aria-valuetext={format(value)}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <output htmlFor={rest.id}>{format(value)}</output>
    </div>
  );
}
