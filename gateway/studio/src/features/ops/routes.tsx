import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { opsRoute } from '@/app/root';

export const opsRoutes = [
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops',
    beforeLoad: () => {
      throw redirect({ to: '/ops/queues', replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/queues',
    component: lazyRouteComponent(() => import('./QueuesView'), 'QueuesView'),
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/workers',
    component: lazyRouteComponent(() => import('./WorkersView'), 'WorkersView'),
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/providers',
    component: lazyRouteComponent(() => import('./ProvidersView'), 'ProvidersView'),
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/jobs',
    component: lazyRouteComponent(() => import('./OpsJobsView'), 'OpsJobsView'),
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/failures',
    component: lazyRouteComponent(() => import('./FailuresView'), 'FailuresView'),
  }),
  createRoute({
    getParentRoute: () => opsRoute,
    path: '/ops/audit',
    component: lazyRouteComponent(() => import('./AuditView'), 'AuditView'),
  }),
] as const;
