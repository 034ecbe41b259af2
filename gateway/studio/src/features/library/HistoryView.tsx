import { Clock } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function HistoryView() {
  return (
    <View title="History">
      <EmptyState icon={<Clock />} title="Nothing is here yet" />
    </View>
  );
}
