import { Link } from '@tanstack/react-router';
import { Images } from 'lucide-react';
import type { Project } from '@/api/projects';
import { Shelf } from '@/features/library/Library';
import { EmptyState } from '@/ui/EmptyState';

/** Everything in the project, as the gallery shows it. */
export function ProjectAssets({ project }: { project: Project }) {
  return (
    <Shelf
      title={project.name}
      fixed={{ project: project.id }}
      empty={
        <EmptyState
          icon={<Images />}
          title="Nothing is in this project yet"
          action={
            <Link to="/studio/projects/$id/$tab" params={{ id: project.id, tab: 'generate' }} search={{}}>
              Make something for it
            </Link>
          }
        >
          What is generated for it appears here, and what is moved here from the gallery.
        </EmptyState>
      }
    />
  );
}
