import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ArrowLeft, ChartColumn, Images, Sparkles } from 'lucide-react';
import { type Project, projectQuery } from '@/api/projects';
import { View } from '@/app/View';
import { Badge } from '@/ui/Badge';
import { ErrorCard } from '@/ui/ErrorCard';
import { MoreMenu } from '@/ui/MoreMenu';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Tabs } from '@/ui/Tabs';
import { useProjectActions } from './actions';
import { BudgetBar } from './BudgetBar';
import { ProjectAnalytics } from './ProjectAnalytics';
import { ProjectAssets } from './ProjectAssets';
import { ProjectGenerate } from './ProjectGenerate';
import styles from './ProjectView.module.css';

const TABS = [
  { value: 'assets', label: 'Assets', icon: <Images aria-hidden="true" /> },
  { value: 'generate', label: 'Generate', icon: <Sparkles aria-hidden="true" /> },
  { value: 'analytics', label: 'Analytics', icon: <ChartColumn aria-hidden="true" /> },
] as const;
type TabName = (typeof TABS)[number]['value'];

/** One project: what is in it, what to make for it, what it costs. */
export function ProjectView() {
  const { id } = useParams({ from: '/_studio/studio/projects/$id/$tab' });
  const { data, error, refetch } = useQuery(projectQuery(id));
  if (data) return <Whole project={data} />;
  return (
    <View title="Project">
      {error ? (
        <ErrorCard error={error} onRetry={() => void refetch()}>
          <Link to="/studio/projects">All projects</Link>
        </ErrorCard>
      ) : (
        <>
          <Loading />
          <Skeleton height={56} />
          <Skeleton height={320} />
        </>
      )}
    </View>
  );
}

function Whole({ project }: { project: Project }) {
  const { tab } = useParams({ from: '/_studio/studio/projects/$id/$tab' });
  const navigate = useNavigate();
  const { actionsFor, dialogs } = useProjectActions(() => void navigate({ to: '/studio/projects' }));
  const shown: TabName = TABS.some((one) => one.value === tab) ? (tab as TabName) : 'assets';
  return (
    <View
      title={project.name}
      actions={
        <>
          {project.archived_at && <Badge>Archived</Badge>}
          <MoreMenu name="Actions for the project" look="plain" items={actionsFor(project)} />
        </>
      }
    >
      <div className={styles.about}>
        <div className={styles.words}>
          <Link to="/studio/projects" className={styles.back}>
            <ArrowLeft aria-hidden="true" />
            All projects
          </Link>
          {project.description && <p className={styles.description}>{project.description}</p>}
        </div>
        <div className={styles.budget}>
          <BudgetBar project={project} />
        </div>
      </div>
      <Tabs
        label="Parts of the project"
        tabs={TABS}
        value={shown}
        onChange={(next) =>
          void navigate({
            to: '/studio/projects/$id/$tab',
            params: { id: project.id, tab: next },
            search: {},
            replace: true,
          })
        }
      >
        {shown === 'assets' && <ProjectAssets project={project} />}
        {shown === 'generate' && <ProjectGenerate project={project} />}
        {shown === 'analytics' && <ProjectAnalytics project={project} />}
      </Tabs>
      {dialogs}
    </View>
  );
}
