import { chooseMotion, useCalm } from '@/app/motion';
import { ThemeSwitch } from '@/app/ThemeSwitch';
import { NotificationSettings } from '@/features/watch/NotificationSettings';
import { Switch } from '@/ui/Switch';
import { Section } from './Section';

/** How the studio looks on this device. */
export default function AppearanceTab() {
  return (
    <Section title="Appearance" about="For this browser.">
      <div>
        <ThemeSwitch compact={false} />
      </div>
      <Switch
        label="Less motion"
        hint="Nothing slides or pulses. The system’s own setting counts too."
        checked={useCalm()}
        onChange={chooseMotion}
      />
      <NotificationSettings />
    </Section>
  );
}
