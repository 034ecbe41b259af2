import type { ReactNode } from 'react';
import { classes } from '@/ui/classes';
import styles from './Facts.module.css';

export type Fact = readonly [name: string, value: ReactNode];

/** Names and values in a grid that keeps its place when the numbers change. */
export function Facts({ facts, wide }: { facts: readonly Fact[]; wide?: boolean }) {
  return (
    <dl className={classes(styles.facts, wide && styles.wide)}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
