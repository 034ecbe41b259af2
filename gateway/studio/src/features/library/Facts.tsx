import type { ReactNode } from 'react';
import styles from './Details.module.css';

/** Names and values, one below the other. */
export function Facts({ entries }: { entries: readonly (readonly [string, ReactNode])[] }) {
  if (entries.length === 0) return null;
  return (
    <dl className={styles.facts}>
      {entries.map(([name, value]) => (
        <FactLine key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactLine({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
