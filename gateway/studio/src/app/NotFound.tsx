import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { EmptyState } from '@/ui/EmptyState';
import { useTitle } from './title';

export function NotFound() {
  useTitle('Not found');
  return (
    <main id="main">
      <h1 className="unseen">Not found</h1>
      <EmptyState icon={<Compass />} title="There is nothing here">
        <Link to="/studio/create/$kind" params={{ kind: 'image' }}>
          Make something
        </Link>
      </EmptyState>
    </main>
  );
}
