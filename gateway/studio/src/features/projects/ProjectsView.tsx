import { FolderOpen } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function ProjectsView() {
  return (
    <View title="Projects">
      <EmptyState icon={<FolderOpen />} title="No projects yet" />
    </View>
  );
}
