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
  id: '_studio',
  component: StudioShell,
});

/** Views in the operators' frame; their paths begin with `/ops`. */
export const opsRoute = createRoute({ getParentRoute: () => rootRoute, id: '_ops', component: OpsShell });
