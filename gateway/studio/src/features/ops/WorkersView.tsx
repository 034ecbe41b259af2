import { Cpu } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function WorkersView() {
  return (
    <View title="Workers">
      <EmptyState icon={<Cpu />} title="Nothing is here yet" />
    </View>
  );
}
