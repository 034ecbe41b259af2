import { Plug } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function ProvidersView() {
  return (
    <View title="Providers">
      <EmptyState icon={<Plug />} title="Nothing is here yet" />
    </View>
  );
}
