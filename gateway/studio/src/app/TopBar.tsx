import { BudgetHint } from '@/features/create/BudgetHint';
import { AccountMenu } from './AccountMenu';
import { Brand } from './Brand';
import { PlaceLink } from './PlaceLink';
import type { Place } from './places';
import styles from './TopBar.module.css';

/** The head of narrow screens; operators, who have no bottom bar, find their places in it. */
export function TopBar({ groups, title }: { groups?: readonly (readonly Place[])[]; title?: string }) {
  return (
    <header className={styles.bar}>
      <div className={styles.line}>
        <Brand title={title} />
        <div className={styles.right}>
          {!title && <BudgetHint />}
          <AccountMenu compact />
        </div>
      </div>
      {groups && (
        <nav aria-label={`${title}, narrow`} data-row className={styles.places}>
          {groups.flat().map((place) => (
            <PlaceLink key={place.label} place={place} className={styles.place} />
          ))}
        </nav>
      )}
    </header>
  );
}
