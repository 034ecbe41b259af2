import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const createRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/create/$kind',
    component: lazyRouteComponent(() => import('./CreateView'), 'CreateView'),
  }),
] as const;
