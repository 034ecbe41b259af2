import { Link } from '@tanstack/react-router';
import type { Project } from '@/api/projects';
import { Badge } from '@/ui/Badge';
import type { MenuItem } from '@/ui/Menu';
import { MoreMenu } from '@/ui/MoreMenu';
import { Time } from '@/ui/Time';
import { BudgetBar } from './BudgetBar';
import { Cover } from './Cover';
import styles from './ProjectCard.module.css';

interface Props {
  project: Project;
  actions: readonly MenuItem[];
}

export function ProjectCard({ project, actions }: Props) {
  return (
    <article className={styles.card}>
      <Cover project={project} />
      <div className={styles.body}>
        <div className={styles.head}>
          <h2 className={styles.name}>
            <Link
              to="/studio/projects/$id/$tab"
              params={{ id: project.id, tab: 'assets' }}
              className={styles.link}
            >
              {project.name}
            </Link>
          </h2>
          <MoreMenu name={`Actions for ${project.name}`} className={styles.more} items={actions} />
        </div>
        {project.description && <p className={styles.description}>{project.description}</p>}
        <div className={styles.budget}>
          <BudgetBar project={project} />
        </div>
        <p className={styles.facts}>
          <span>{counted(project.generations ?? 0)}</span>
          {project.archived_at ? (
            <Badge>Archived</Badge>
          ) : (
            <span>
              changed <Time at={project.updated_at} />
            </span>
          )}
        </p>
      </div>
    </article>
  );
}

function counted(count: number): string {
  return count === 1 ? '1 generation' : `${count.toLocaleString('en')} generations`;
}
