import { ChartColumn } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function AnalyticsView() {
  return (
    <View title="Analytics">
      <EmptyState icon={<ChartColumn />} title="Nothing to count yet" />
    </View>
  );
}
