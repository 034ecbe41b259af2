import { OctagonAlert } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function FailuresView() {
  return (
    <View title="Failures">
      <EmptyState icon={<OctagonAlert />} title="Nothing is here yet" />
    </View>
  );
}
