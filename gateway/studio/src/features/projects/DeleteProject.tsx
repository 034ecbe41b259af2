import { useMutation, useQuery } from '@tanstack/react-query';
import { asProblem } from '@/api/problem';
import { deleteProject, type Project, type ProjectDeletion, tryDeletion } from '@/api/projects';
import { size } from '@/ui/bytes';
import { Confirm } from '@/ui/Confirm';
import { ErrorCard } from '@/ui/ErrorCard';
import { dollars } from '@/ui/money';
import { Skeleton } from '@/ui/Skeleton';
import styles from './DeleteProject.module.css';

interface Props {
  project: Project | null;
  onDeleted: (project: Project) => void;
  onClose: () => void;
}

/** Says first what goes and what stays, then asks. */
export function DeleteProject({ project, onDeleted, onClose }: Props) {
  const report = useQuery({
    queryKey: ['project-deletion', project?.id],
    queryFn: () => tryDeletion(project?.id ?? ''),
    enabled: project !== null,
    staleTime: 0,
    gcTime: 0,
  });
  const remove = useMutation({
    mutationFn: (one: Project) => deleteProject(one.id),
    onSuccess: (_, one) => onDeleted(one),
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  const problem = remove.error ? asProblem(remove.error) : null;
  return (
    <Confirm
      open={project !== null}
      title={`Delete “${project?.name ?? ''}”?`}
      action="Delete the project"
      busy={remove.isPending || report.isPending}
      onConfirm={() => project && remove.mutate(project)}
      onClose={close}
    >
      <div className={styles.text}>
        {report.error && <ErrorCard error={report.error} onRetry={() => void report.refetch()} />}
        {report.data ? <What report={report.data} /> : !report.error && <Skeleton height={104} />}
        {problem && <ErrorCard error={problem} />}
      </div>
    </Confirm>
  );
}

function What({ report }: { report: ProjectDeletion }) {
  const { goes, stays } = report;
  return (
    <>
      <p>
        <strong>Goes:</strong> the project{' '}
        {goes.assets > 0
          ? `and ${counted(goes.assets, 'file')} in it (${size(goes.bytes)})`
          : 'and no file, for it has none'}
        .
      </p>
      <p>
        <strong>Stays:</strong> the record of {counted(stays.generations, 'generation')}, and the ledger with{' '}
        {dollars(stays.spent.nanos)} that was spent.
      </p>
      <p className={styles.faint}>This cannot be undone. To put it out of sight only, archive it.</p>
    </>
  );
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count.toLocaleString('en')} ${noun}s`;
}
