import { useNavigate } from '@tanstack/react-router';
import { BookOpen, LogOut, MonitorSmartphone, Palette, ServerCog, UserRound } from 'lucide-react';
import { address } from '@/api/address';
import { api, unwrapped } from '@/api/client';
import { useMe } from '@/api/me';
import { forgetPerson } from '@/api/person';
import { asProblem } from '@/api/problem';
import { queryClient } from '@/api/queries';
import { live, socket } from '@/live/live';
import { Avatar } from '@/ui/Avatar';
import { Menu, type MenuItem } from '@/ui/Menu';
import { sayProblem } from '@/ui/toasts';
import styles from './AccountMenu.module.css';
import { usePreferences } from './preferences';
import { ThemeSwitch } from './ThemeSwitch';

/** Who is here, and what is about them. Without an e-mail address nobody signed in, so nobody signs out. */
export function AccountMenu({ compact }: { compact?: boolean }) {
  const me = useMe().data;
  usePreferences(me?.preferences);
  const navigate = useNavigate();
  const to = (tab: string) => () => void navigate({ to: '/studio/settings/$tab', params: { tab } });
  const items: MenuItem[] = [
    { label: 'Profile', icon: <UserRound />, run: to('profile') },
    { label: 'Sessions', icon: <MonitorSmartphone />, run: to('sessions') },
    { label: 'Appearance', icon: <Palette />, run: to('appearance') },
    {
      label: 'API reference',
      icon: <BookOpen />,
      run: () => void window.open(address('/docs'), '_blank', 'noopener'),
    },
  ];
  if (me && me.role !== 'user') {
    items.push({ label: 'Operations', icon: <ServerCog />, run: () => void navigate({ to: '/ops/queues' }) });
  }
  if (me?.email) items.push({ label: 'Sign out', icon: <LogOut />, run: () => void signOut(navigate) });
  const name = me?.name || 'Account';
  return (
    <Menu
      name={`Account: ${name}`}
      className={styles.button}
      button={
        <>
          <Avatar name={name} url={me?.avatar_url} />
          {!compact && <span className={styles.name}>{name}</span>}
        </>
      }
      head={
        <>
          {me && <Who name={name} email={me.email} />}
          {compact && (
            <div className={styles.theme}>
              <ThemeSwitch />
            </div>
          )}
        </>
      }
      items={items}
    />
  );
}

function Who({ name, email }: { name: string; email: string | null }) {
  return (
    <>
      <strong>{name}</strong>
      <div className={styles.email}>{email ?? 'This installation is open: no sign-in.'}</div>
    </>
  );
}

async function signOut(navigate: ReturnType<typeof useNavigate>): Promise<void> {
  try {
    await unwrapped(api.POST('/api/auth/logout') as never);
  } catch (error) {
    // A session that has ended already is no reason to stay.
    if (asProblem(error).status !== 401) {
      sayProblem(error);
      return;
    }
  }
  forgetPerson();
  socket.close();
  live.forget();
  queryClient.clear();
  await navigate({ to: '/studio/login' });
}
