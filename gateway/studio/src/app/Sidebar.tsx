import { BudgetHint } from '@/features/create/BudgetHint';
import { Tray } from '@/features/watch/Tray';
import { AccountMenu } from './AccountMenu';
import { Brand } from './Brand';
import { PlaceLink } from './PlaceLink';
import type { Place } from './places';
import styles from './Sidebar.module.css';
import { ThemeSwitch } from './ThemeSwitch';

/** The navigation of wide screens; what runs and whose studio it is are at its foot. */
export function Sidebar({ groups, title }: { groups: readonly (readonly Place[])[]; title?: string }) {
  return (
    <div className={styles.sidebar}>
      <Brand title={title} />
      <nav aria-label={title ?? 'Studio'} className={styles.nav}>
        {groups.map((group) => (
          <ul key={group[0]?.label}>
            {group.map((place) => (
              <li key={place.label}>
                <PlaceLink place={place} className={styles.link} />
              </li>
            ))}
          </ul>
        ))}
      </nav>
      <div className={styles.foot}>
        <Tray />
        <BudgetHint />
        <ThemeSwitch />
        <AccountMenu />
      </div>
    </div>
  );
}
