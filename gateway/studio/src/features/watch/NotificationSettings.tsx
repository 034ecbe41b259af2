import { useState } from 'react';
import { prefer } from '@/app/preferences';
import { Switch } from '@/ui/Switch';
import { chime } from './chime';
import { useNotices } from './notices';

/** What happens when something is finished. Each browser asks for its permission, and only when somebody wants it. */
export function NotificationSettings() {
  const { sound, notification } = useNotices();
  const possible = 'Notification' in window;
  const [permission, setPermission] = useState(possible ? Notification.permission : 'denied');
  const denied = possible && permission === 'denied';
  const want = async (on: boolean) => {
    const answer = on ? await Notification.requestPermission() : permission;
    setPermission(answer);
    prefer('notification_at_end', on && answer === 'granted');
  };
  return (
    <>
      <Switch
        label="A sound when something is finished"
        hint="Also while you look at something else."
        checked={sound}
        onChange={(on) => {
          prefer('sound_at_end', on);
          if (on) chime();
        }}
      />
      <Switch
        label="A notification when something is finished"
        hint={
          denied
            ? 'This browser was told not to allow it: change that beside its address.'
            : 'While Penstock is not the window in front. Each browser asks whether it may.'
        }
        checked={notification && permission === 'granted'}
        disabled={!possible || denied}
        onChange={(on) => void want(on)}
      />
    </>
  );
}
