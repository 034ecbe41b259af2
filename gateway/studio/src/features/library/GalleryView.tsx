import { Link } from '@tanstack/react-router';
import { Images, Trash2 } from 'lucide-react';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { EmptyState } from '@/ui/EmptyState';
import { Library } from './Library';

export function GalleryView() {
  return (
    <Library
      title="Gallery"
      actions={
        <Link to="/studio/trash" className={classes(buttons.button, buttons.quiet, buttons.md)}>
          <Trash2 aria-hidden="true" />
          Trash
        </Link>
      }
      empty={
        <EmptyState icon={<Images />} title="What you make comes here">
          <Link to="/studio/create/$kind" params={{ kind: 'image' }}>
            Make the first one
          </Link>
        </EmptyState>
      }
    />
  );
}
