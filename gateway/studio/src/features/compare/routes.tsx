import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const compareRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/compare',
    component: lazyRouteComponent(() => import('./CompareView'), 'CompareView'),
  }),
] as const;
