import { createRootRoute, createRoute, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import { OpsShell, StudioShell } from './Shell';

/** Everything. Pages without a frame, such as signing in, hang here. */
export const rootRoute = createRootRoute({
  component: Outlet,
  notFoundComponent: lazyRouteComponent(() => import('./NotFound'), 'NotFound'),
});

/** Views in the studio's frame; their paths begin with `/studio`. */
export const studioRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'studio',
  component: StudioShell,
});

/** Views in the operators' frame; their paths begin with `/ops`. */
export const opsRoute = createRoute({ getParentRoute: () => rootRoute, id: 'ops', component: OpsShell });
