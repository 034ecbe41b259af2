import { Monitor, Moon, Sun } from 'lucide-react';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { prefer } from './preferences';
import { useTheme } from './theme';

const CHOICES = [
  { value: 'light', label: 'Light', icon: <Sun /> },
  { value: 'dark', label: 'Dark', icon: <Moon /> },
  { value: 'system', label: 'System', icon: <Monitor /> },
] as const;

export function ThemeSwitch({ compact = true }: { compact?: boolean }) {
  return (
    <SegmentedControl
      label="Theme"
      segments={CHOICES}
      value={useTheme()}
      onChange={(theme) => prefer('theme', theme)}
      compact={compact}
    />
  );
}
