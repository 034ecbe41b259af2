import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { opsRoute } from '@/app/root';
import { readAuditSearch } from './auditSearch';
import { readSearch } from './jobSearch';

/** In front of all of them: who may see them. */
const gateRoute = createRoute({
  getParentRoute: () => opsRoute,
  id: '_gate',
  component: lazyRouteComponent(() => import('./Gate'), 'Gate'),
});

const views = [
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops',
    beforeLoad: () => {
      throw redirect({ to: '/ops/queues', replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/queues',
    component: lazyRouteComponent(() => import('./QueuesView'), 'QueuesView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/workers',
    component: lazyRouteComponent(() => import('./WorkersView'), 'WorkersView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/providers',
    component: lazyRouteComponent(() => import('./ProvidersView'), 'ProvidersView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/jobs',
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import('./OpsJobsView'), 'OpsJobsView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/jobs/$id',
    component: lazyRouteComponent(() => import('./JobView'), 'JobView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/failures',
    component: lazyRouteComponent(() => import('./FailuresView'), 'FailuresView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/audit',
    validateSearch: readAuditSearch,
    component: lazyRouteComponent(() => import('./AuditView'), 'AuditView'),
  }),
  createRoute({
    getParentRoute: () => gateRoute,
    path: '/ops/system',
    component: lazyRouteComponent(() => import('./SystemView'), 'SystemView'),
  }),
] as const;

export const opsRoutes = [gateRoute.addChildren([...views])] as const;
