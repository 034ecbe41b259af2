import { Star } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function FavouritesView() {
  return (
    <View title="Favourites">
      <EmptyState icon={<Star />} title="No favourites yet" />
    </View>
  );
}
