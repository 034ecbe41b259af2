import { FolderOpen } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function ProjectView() {
  return (
    <View title="Project">
      <EmptyState icon={<FolderOpen />} title="Nothing is here yet" />
    </View>
  );
}
