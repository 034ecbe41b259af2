import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root';

/** Where one was going, and whether a session ended on the way. */
export interface SignInSearch {
  next?: string;
  ended?: true;
}

function signInSearch(search: Record<string, unknown>): SignInSearch {
  return {
    ...(typeof search.next === 'string' && { next: search.next }),
    ...(search.ended === true && { ended: true as const }),
  };
}

export const authRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/studio/login',
    validateSearch: signInSearch,
    component: lazyRouteComponent(() => import('./LoginView'), 'LoginView'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/studio/signup',
    validateSearch: signInSearch,
    component: lazyRouteComponent(() => import('./SignupView'), 'SignupView'),
  }),
] as const;
