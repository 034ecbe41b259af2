import { Rows3 } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function QueuesView() {
  return (
    <View title="Queues">
      <EmptyState icon={<Rows3 />} title="Nothing is here yet" />
    </View>
  );
}
