import { useState } from 'react';
import { Switch } from '@/ui/Switch';
import { chime } from './chime';
import { changeNotices, useNotices } from './notices';

/** What this browser does when something is finished. It asks for permission only when somebody wants it. */
export function NotificationSettings() {
  const { sound, notification } = useNotices();
  const [denied, setDenied] = useState('Notification' in window && Notification.permission === 'denied');
  const possible = 'Notification' in window;
  const want = async (on: boolean) => {
    const permission = on ? await Notification.requestPermission() : 'default';
    setDenied(permission === 'denied');
    changeNotices({ notification: on && permission === 'granted' });
  };
  return (
    <div>
      <Switch
        label="A sound when something is finished"
        hint="In this browser, also while you look at something else."
        checked={sound}
        onChange={(on) => {
          changeNotices({ sound: on });
          if (on) chime();
        }}
      />
      <Switch
        label="A notification when something is finished"
        hint={
          denied
            ? 'This browser was told not to allow it: change that beside its address.'
            : 'In this browser, while Penstock is not the window in front.'
        }
        checked={notification && !denied}
        disabled={!possible || denied}
        onChange={(on) => void want(on)}
      />
    </div>
  );
}
