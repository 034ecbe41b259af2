import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';
import { type ReportSearch, reportSearch } from '@/features/analytics/range';
import { type LibrarySearch, readSearch } from '@/features/library/filters';

export const projectRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/projects',
    validateSearch: (search: Record<string, unknown>): { archived?: true } =>
      search.archived === true ? { archived: true } : {},
    component: lazyRouteComponent(() => import('./ProjectsView'), 'ProjectsView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/projects/$id',
    beforeLoad: ({ params }) => {
      throw redirect({ to: '/studio/projects/$id/$tab', params: { id: params.id, tab: 'assets' } });
    },
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/projects/$id/$tab',
    validateSearch: (search: Record<string, unknown>): ReportSearch & LibrarySearch => ({
      ...readSearch(search),
      ...reportSearch(search),
    }),
    component: lazyRouteComponent(() => import('./ProjectView'), 'ProjectView'),
  }),
] as const;
