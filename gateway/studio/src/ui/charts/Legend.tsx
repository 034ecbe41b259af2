import styles from './Chart.module.css';

export interface Entry {
  name: string;
  /** A token of the theme. */
  colour: string;
  isLine?: boolean;
}

/** Which colour is what. */
export function Legend({ entries }: { entries: readonly Entry[] }) {
  return (
    <ul className={styles.legend}>
      {entries.map(({ name, colour, isLine }) => (
        <li key={name}>
          <span
            className={isLine ? styles.line : styles.swatch}
            style={{ background: `var(${colour})` }}
            aria-hidden="true"
          />
          {name}
        </li>
      ))}
    </ul>
  );
}
