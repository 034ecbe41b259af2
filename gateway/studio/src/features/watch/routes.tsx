import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const watchRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/jobs',
    component: lazyRouteComponent(() => import('./JobsView'), 'JobsView'),
  }),
] as const;
