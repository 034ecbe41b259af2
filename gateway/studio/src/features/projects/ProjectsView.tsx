import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { FolderOpen, Plus } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { usePages } from '@/api/pages';
import { fetchProjects } from '@/api/projects';
import { View } from '@/app/View';
import { useShortcuts } from '@/keyboard/registry';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { useProjectActions } from './actions';
import { ProjectCard } from './ProjectCard';
import { ProjectDialog } from './ProjectDialog';
import styles from './ProjectsView.module.css';

const SHELVES = [
  { value: 'active', label: 'Active' },
  { value: 'archived', label: 'Archived' },
] as const;

export function ProjectsView() {
  const archived = useSearch({ from: '/_studio/studio/projects' }).archived === true;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [making, setMaking] = useState(false);
  const projects = usePages([...keys.projects, 'list', archived], (after) => fetchProjects(archived, after));
  const { actionsFor, dialogs } = useProjectActions();
  useShortcuts('Projects', [{ chord: 'n', label: 'New project', run: () => setMaking(true) }]);
  const create = (
    <Button look="primary" icon={<Plus />} onClick={() => setMaking(true)}>
      New project
    </Button>
  );
  return (
    <View
      title="Projects"
      actions={
        <>
          <SegmentedControl
            label="Which projects"
            segments={SHELVES}
            value={archived ? 'archived' : 'active'}
            onChange={(shelf) =>
              void navigate({
                to: '/studio/projects',
                search: shelf === 'archived' ? { archived: true } : {},
              })
            }
          />
          {create}
        </>
      }
    >
      {projects.error && <ErrorCard error={projects.error} onRetry={() => void projects.refetch()} />}
      {projects.isPending && <Shapes />}
      {projects.data && projects.items.length === 0 && <Nothing archived={archived} />}
      <div className={styles.grid}>
        {projects.items.map((project) => (
          <ProjectCard key={project.id} project={project} actions={actionsFor(project)} />
        ))}
      </div>
      {projects.hasNextPage && (
        <Button busy={projects.isFetchingNextPage} onClick={() => void projects.fetchNextPage()}>
          Show more
        </Button>
      )}
      {dialogs}
      <ProjectDialog
        open={making}
        onClose={() => setMaking(false)}
        onDone={(project) => {
          setMaking(false);
          void client.invalidateQueries({ queryKey: keys.projects });
          void navigate({
            to: '/studio/projects/$id/$tab',
            params: { id: project.id, tab: 'assets' },
            search: {},
          });
        }}
      />
    </View>
  );
}

function Nothing({ archived }: { archived: boolean }) {
  return (
    <EmptyState icon={<FolderOpen />} title={archived ? 'Nothing is archived' : 'No projects yet'}>
      {archived
        ? 'Projects that are done can be put here; nothing of theirs is lost.'
        : 'A project keeps what belongs together, with a budget of its own.'}
    </EmptyState>
  );
}

function Shapes() {
  return (
    <div className={styles.grid}>
      <Loading />
      {[1, 2, 3].map((n) => (
        <Skeleton key={n} height={324} />
      ))}
    </div>
  );
}
