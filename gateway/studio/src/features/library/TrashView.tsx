import { Trash2 } from 'lucide-react';
import { EmptyState } from '@/ui/EmptyState';
import { Library } from './Library';

export function TrashView() {
  return (
    <Library
      title="Trash"
      trash
      empty={
        <EmptyState icon={<Trash2 />} title="The trash is empty">
          What is deleted can be taken back for thirty days. Then it is gone for good.
        </EmptyState>
      }
    />
  );
}
