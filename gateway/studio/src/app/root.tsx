import {
  createRootRoute,
  createRoute,
  lazyRouteComponent,
  Outlet,
  type ParsedLocation,
  redirect,
} from '@tanstack/react-router';
import { signsIn } from '@/api/installation';
import { meQuery } from '@/api/me';
import { overviewQuery } from '@/api/overview';
import { queryClient } from '@/api/queries';
import { hasSession } from '@/api/session';
import { OpsShell, StudioShell } from './Shell';

/** Everything. Pages without a frame, such as signing in, hang here. */
export const rootRoute = createRootRoute({ component: Outlet });

/** Whoever was never here signs in first, and comes back to where they wanted to go. */
function beSignedIn({ location }: { location: ParsedLocation }) {
  if (signsIn() && !hasSession()) throw redirect({ to: '/studio/login', search: { next: location.href } });
}

function frameAnswers() {
  return Promise.all([queryClient.prefetchQuery(overviewQuery()), queryClient.prefetchQuery(meQuery())]);
}

/** Views in the studio's frame; their paths begin with `/studio`. */
export const studioRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: '_studio',
  component: StudioShell,
  beforeLoad: beSignedIn,
  staticData: { ask: frameAnswers },
});

/** Views in the operators' frame; their paths begin with `/ops`. */
export const opsRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: '_ops',
  component: OpsShell,
  beforeLoad: beSignedIn,
  staticData: { ask: frameAnswers },
});

export function toCreate() {
  throw redirect({ to: '/studio/create/$kind', params: { kind: 'image' }, replace: true });
}

/** Addresses that lead nowhere, in the frame of what they are below. Nothing after the slash is its beginning, which
 * the router takes for one of them. */
export const nowhereRoute = createRoute({
  getParentRoute: () => studioRoute,
  path: '/studio/$',
  beforeLoad: ({ params }) => {
    if (!params._splat) toCreate();
  },
  component: lazyRouteComponent(() => import('./NotFound'), 'NotFound'),
});

export const opsNowhereRoute = createRoute({
  getParentRoute: () => opsRoute,
  path: '/ops/$',
  beforeLoad: ({ params }) => {
    if (!params._splat) throw redirect({ to: '/ops/queues', replace: true });
  },
  component: lazyRouteComponent(() => import('./NotFound'), 'OpsNotFound'),
});
