import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const projectRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/projects',
    component: lazyRouteComponent(() => import('./ProjectsView'), 'ProjectsView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/projects/$id/$tab',
    component: lazyRouteComponent(() => import('./ProjectView'), 'ProjectView'),
  }),
] as const;
