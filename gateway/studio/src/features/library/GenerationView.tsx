import { FileSearch } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function GenerationView() {
  return (
    <View title="Generation">
      <EmptyState icon={<FileSearch />} title="Nothing is here yet" />
    </View>
  );
}
