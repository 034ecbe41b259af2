import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';
import { reportSearch } from './range';

export const analyticsRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/analytics',
    validateSearch: reportSearch,
    component: lazyRouteComponent(() => import('./AnalyticsView'), 'AnalyticsView'),
  }),
] as const;
