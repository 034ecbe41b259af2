import { useEffect } from 'react';
import type { User } from '@/api/client';
import { keys } from '@/api/keys';
import { changeProfile } from '@/api/profile';
import { queryClient } from '@/api/queries';
import { changeNotices } from '@/features/watch/notices';
import { chooseMotion } from './motion';
import { chooseTheme } from './theme';

/** How each choice is put into effect here; the browser keeps a copy, by which it paints before anything is loaded. */
const EFFECTS = {
  theme: (value: unknown) => chooseTheme(value === 'light' || value === 'dark' ? value : 'system'),
  less_motion: (value: unknown) => chooseMotion(value === true),
  sound_at_end: (value: unknown) => changeNotices({ sound: value === true }),
  notification_at_end: (value: unknown) => changeNotices({ notification: value === true }),
};
type Name = keyof typeof EFFECTS;
const NAMES = Object.keys(EFFECTS) as Name[];

/** What the account is known to say. */
let known: Record<string, unknown> = {};
let unsent: Partial<Record<Name, unknown>> = {};
let sending = false;

/** Chosen here, at once, and for the account's other browsers. */
export function prefer(name: Name, value: unknown): void {
  EFFECTS[name](value);
  known = { ...known, [name]: value };
  void queryClient.cancelQueries({ queryKey: keys.me });
  queryClient.setQueryData<User>(
    keys.me,
    (me) => me && { ...me, preferences: { ...me.preferences, [name]: value } },
  );
  unsent[name] = value;
  void send();
}

/** One request at a time, so that the last choice is the one that stays. */
async function send(): Promise<void> {
  if (sending) return;
  sending = true;
  while (Object.keys(unsent).length > 0) {
    const preferences = unsent;
    unsent = {};
    await changeProfile({ preferences }).catch(stays);
  }
  sending = false;
}

/** Whoever may not write, or is offline, has chosen for this browser only. */
function stays(): void {}

/** Follows what was chosen elsewhere. What was chosen here, and the account does not have yet, stays. */
export function usePreferences(preferences: Record<string, unknown> | undefined): void {
  useEffect(() => {
    if (!preferences || sending) return;
    for (const name of NAMES) {
      if (name in preferences && preferences[name] !== known[name]) EFFECTS[name](preferences[name]);
    }
    known = preferences;
  }, [preferences]);
}
