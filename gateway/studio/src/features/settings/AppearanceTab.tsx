import { useCalm } from '@/app/motion';
import { prefer } from '@/app/preferences';
import { ThemeSwitch } from '@/app/ThemeSwitch';
import { NotificationSettings } from '@/features/watch/NotificationSettings';
import { Switch } from '@/ui/Switch';
import { Section } from './Section';

/** How the studio looks, and how it tells that something is finished. */
export default function AppearanceTab() {
  return (
    <Section title="Appearance" about="Kept in your account, for all your browsers.">
      <div>
        <ThemeSwitch compact={false} />
      </div>
      <Switch
        label="Less motion"
        hint="Nothing slides or pulses. The system’s own setting counts too."
        checked={useCalm()}
        onChange={(calm) => prefer('less_motion', calm)}
      />
      <NotificationSettings />
    </Section>
  );
}
