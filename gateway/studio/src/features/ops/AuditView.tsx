import { FileClock } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function AuditView() {
  return (
    <View title="Audit">
      <EmptyState icon={<FileClock />} title="Nothing is here yet" />
    </View>
  );
}
