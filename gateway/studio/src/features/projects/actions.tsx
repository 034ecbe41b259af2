import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Archive, ArchiveRestore, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { changeProject, type Project } from '@/api/projects';
import type { MenuItem } from '@/ui/Menu';
import { say, sayProblem } from '@/ui/toasts';
import { DeleteProject } from './DeleteProject';
import { ProjectDialog } from './ProjectDialog';

/** What can be done to a project, and the dialogs that it takes; put `dialogs` into the view once. */
export function useProjectActions(onDeleted?: () => void) {
  const client = useQueryClient();
  const [changed, setChanged] = useState<Project | null>(null);
  const [deleted, setDeleted] = useState<Project | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: keys.projects });
  const archive = useMutation({
    mutationFn: (project: Project) => changeProject(project.id, { archived: !project.archived_at }),
    onSuccess: (project) => {
      say(project.archived_at ? `“${project.name}” is archived.` : `“${project.name}” is back.`);
      void refresh();
    },
    onError: sayProblem,
  });
  const actionsFor = (project: Project): MenuItem[] => [
    { label: 'Rename or change', icon: <Pencil />, run: () => setChanged(project) },
    project.archived_at
      ? { label: 'Take out of the archive', icon: <ArchiveRestore />, run: () => archive.mutate(project) }
      : { label: 'Archive', icon: <Archive />, run: () => archive.mutate(project) },
    { label: 'Delete', icon: <Trash2 />, danger: true, run: () => setDeleted(project) },
  ];
  const dialogs = (
    <>
      <ProjectDialog
        open={changed !== null}
        project={changed ?? undefined}
        onClose={() => setChanged(null)}
        onDone={() => {
          setChanged(null);
          void refresh();
        }}
      />
      <DeleteProject
        project={deleted}
        onClose={() => setDeleted(null)}
        onDeleted={(project) => {
          setDeleted(null);
          say(`“${project.name}” is deleted.`);
          onDeleted?.();
          client.removeQueries({ queryKey: keys.project(project.id) });
          void refresh();
        }}
      />
    </>
  );
  return { actionsFor, dialogs };
}
