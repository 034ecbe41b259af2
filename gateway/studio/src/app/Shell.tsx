import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { BudgetAlerts } from '@/features/alerts/BudgetAlerts';
import { FileDrop } from '@/features/create/FileDrop';
import { Announcer } from '@/features/watch/Announcer';
import { ConnectionBanner } from '@/features/watch/ConnectionBanner';
import { JobsBar } from '@/features/watch/JobsBar';
import { tellOfEnds } from '@/features/watch/notices';
import { socket } from '@/live/live';
import { Toasts } from '@/ui/Toasts';
import { BottomBar } from './BottomBar';
import { embedded } from './embedding';
import { GlobalShortcuts } from './GlobalShortcuts';
import { OPS_PLACES, type Place, STUDIO_PLACES } from './places';
import styles from './Shell.module.css';
import { Sidebar } from './Sidebar';
import { TopBar } from './TopBar';
import { WayBack } from './WayBack';

export function StudioShell() {
  return (
    <Frame groups={STUDIO_PLACES} keys={<GlobalShortcuts />}>
      <FileDrop />
      <JobsBar always={embedded} />
      {!embedded && <BottomBar />}
    </Frame>
  );
}

export function OpsShell() {
  return <Frame groups={OPS_PLACES} title="Operations" />;
}

interface Props {
  groups: readonly (readonly Place[])[];
  title?: string;
  /** Before the view, whose own keys are meant where both have some. */
  keys?: React.ReactNode;
  children?: React.ReactNode;
}

/** What is around every view: navigation, the account, messages. The view itself is in `main`. */
function Frame({ groups, title, keys, children }: Props) {
  useEffect(() => {
    socket.open();
    return tellOfEnds();
  }, []);
  return (
    <div className={embedded ? styles.alone : styles.frame}>
      <a className={styles.skip} href={`${useLocation().href}#main`} onClick={toMain}>
        To the content
      </a>
      {embedded ? <WayBack /> : <Around groups={groups} title={title} />}
      {keys}
      <Main />
      {children}
      <ConnectionBanner />
      <Announcer />
      <Toasts />
    </div>
  );
}

function Around({ groups, title }: Props) {
  return (
    <>
      <Sidebar groups={groups} title={title} />
      <TopBar groups={title ? groups : undefined} title={title} />
    </>
  );
}

function toMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** Takes the focus when the view changes, so that whoever listens is told of it. */
function Main() {
  const ref = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current !== pathname && document.activeElement === document.body) ref.current?.focus();
    before.current = pathname;
  }, [pathname]);
  return (
    <main id="main" ref={ref} tabIndex={-1} className={styles.main}>
      <BudgetAlerts />
      <Outlet />
    </main>
  );
}
