import { Star } from 'lucide-react';
import { EmptyState } from '@/ui/EmptyState';
import { Library } from './Library';

export function FavouritesView() {
  return (
    <Library
      title="Favourites"
      fixed={{ favorite: true }}
      empty={
        <EmptyState icon={<Star />} title="No favourites yet">
          Press <kbd>F</kbd> on what you like best, or its star.
        </EmptyState>
      }
    />
  );
}
