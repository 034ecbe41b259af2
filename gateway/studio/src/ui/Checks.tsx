import styles from './Checks.module.css';
import { classes } from './classes';

export interface Check {
  value: string;
  label: string;
  hint?: string;
}

interface Props {
  label: string;
  hint?: string;
  error?: string | null;
  options: readonly Check[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

/** Letters that have room in a narrow column. */
const SHORT = 9;

/** Any of several. */
export function Checks({ label, hint, error, options, chosen, onChange }: Props) {
  const toggle = (value: string, on: boolean) =>
    onChange(options.map((one) => one.value).filter((one) => (one === value ? on : chosen.includes(one))));
  const isLong = options.some((one) => one.label.length > SHORT);
  return (
    <fieldset className={styles.group}>
      <legend className={styles.label}>{label}</legend>
      <div className={classes(styles.options, isLong && styles.long)}>
        {options.map((option) => (
          <label key={option.value} className={styles.option} title={option.hint}>
            <input
              type="checkbox"
              checked={chosen.includes(option.value)}
              onChange={(event) => toggle(option.value, event.target.checked)}
            />
            {option.label}
          </label>
        ))}
      </div>
      {(error || hint) && <p className={error ? styles.error : styles.hint}>{error ?? hint}</p>}
    </fieldset>
  );
}
