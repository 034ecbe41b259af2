import { Boxes } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function OpsJobsView() {
  return (
    <View title="Jobs">
      <EmptyState icon={<Boxes />} title="Nothing is here yet" />
    </View>
  );
}
