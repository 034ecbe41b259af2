import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Project } from '@/api/projects';
import { Reports } from '@/features/analytics/Reports';

export function ProjectAnalytics({ project }: { project: Project }) {
  const search = useSearch({ from: '/_studio/studio/projects/$id/$tab' });
  const navigate = useNavigate();
  return (
    <Reports
      project={project.id}
      search={search}
      onSearch={(next) =>
        void navigate({
          to: '/studio/projects/$id/$tab',
          params: { id: project.id, tab: 'analytics' },
          search: next,
          replace: true,
        })
      }
    />
  );
}
