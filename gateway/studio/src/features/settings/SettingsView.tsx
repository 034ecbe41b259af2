import { Link, useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import { useMe } from '@/api/me';
import { View } from '@/app/View';
import { Loading, Skeleton } from '@/ui/Skeleton';
import styles from './SettingsView.module.css';
import { TABS } from './tabs';

/** Everything that can be set, a page each. */
export function SettingsView() {
  const { tab } = useParams({ from: '/_studio/studio/settings/$tab' });
  const isAdmin = useMe().data?.role === 'admin';
  const tabs = TABS.filter((one) => !one.admin || isAdmin);
  const shown = TABS.find((one) => one.name === tab) ?? TABS[0];
  const Shown = shown?.view;
  return (
    <View title={`Settings: ${shown?.label ?? ''}`} hideTitle>
      <div className={styles.panes}>
        <nav aria-label="Settings" data-row className={styles.nav}>
          {tabs.map(({ name, label, icon: Icon }) => (
            <Link
              key={name}
              to="/studio/settings/$tab"
              params={{ tab: name }}
              className={styles.link}
              aria-current={name === shown?.name ? 'page' : undefined}
              activeProps={{}}
            >
              <Icon aria-hidden="true" />
              {label}
            </Link>
          ))}
        </nav>
        <div className={styles.pane}>
          <Suspense key={shown?.name} fallback={<Shape />}>
            {Shown && <Shown />}
          </Suspense>
        </div>
      </div>
    </View>
  );
}

function Shape() {
  return (
    <>
      <Loading />
      <Skeleton height={280} />
    </>
  );
}
