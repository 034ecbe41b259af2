import type { Project } from '@/api/projects';
import { KINDS } from '@/features/create/kinds';
import { useFill } from '@/features/create/prefill';
import { dollars } from '@/ui/money';
import styles from './ProjectGenerate.module.css';

/** The way to the form of each kind, with this project chosen there. */
export function ProjectGenerate({ project }: { project: Project }) {
  const fill = useFill();
  const left = project.budget.nanos - project.spent.nanos;
  if (project.archived_at) {
    return <p className={styles.lead}>It is archived. Take it out of the archive to make more for it.</p>;
  }
  return (
    <>
      <p className={styles.lead}>
        What you make there is kept in “{project.name}”
        {project.budget.nanos > 0 && ` and counts against its budget: ${dollars(Math.max(0, left))} left`}.
      </p>
      <ul className={styles.kinds}>
        {KINDS.map(({ name, label, icon: Icon }) => (
          <li key={name}>
            <button
              type="button"
              className={styles.kind}
              onClick={() => fill({ kind: name, project: project.id })}
            >
              <Icon aria-hidden="true" />
              {label}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
