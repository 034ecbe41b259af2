import { Images } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function GalleryView() {
  return (
    <View title="Gallery">
      <EmptyState icon={<Images />} title="Nothing is here yet" />
    </View>
  );
}
