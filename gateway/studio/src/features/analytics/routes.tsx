import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const analyticsRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/analytics',
    component: lazyRouteComponent(() => import('./AnalyticsView'), 'AnalyticsView'),
  }),
] as const;
