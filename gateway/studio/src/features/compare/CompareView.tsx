import { Columns2 } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function CompareView() {
  return (
    <View title="Compare">
      <EmptyState icon={<Columns2 />} title="Choose two to compare" />
    </View>
  );
}
