import { Settings } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function SettingsView() {
  return (
    <View title="Settings">
      <EmptyState icon={<Settings />} title="Nothing is here yet" />
    </View>
  );
}
