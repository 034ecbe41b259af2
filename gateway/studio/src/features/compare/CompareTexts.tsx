import { AssetShow } from '@/features/library/AssetShow';
import styles from './Compare.module.css';
import type { Pair } from './contender';

/** Two texts, or two that are not alike, beside each other. */
export function CompareTexts({ pair }: { pair: Pair }) {
  return (
    <div className={styles.texts}>
      {pair.map(({ asset }, n) => (
        <section key={n === 0 ? 'a' : 'b'} aria-label={n === 0 ? 'A' : 'B'}>
          <h2>{n === 0 ? 'A' : 'B'}</h2>
          <AssetShow asset={asset} />
        </section>
      ))}
    </div>
  );
}
