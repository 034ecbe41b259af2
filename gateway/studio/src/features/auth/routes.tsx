import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root';

export const authRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/studio/login',
    validateSearch: (search: Record<string, unknown>): { next?: string } =>
      typeof search.next === 'string' ? { next: search.next } : {},
    component: lazyRouteComponent(() => import('./LoginView'), 'LoginView'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/studio/signup',
    validateSearch: (search: Record<string, unknown>): { next?: string } =>
      typeof search.next === 'string' ? { next: search.next } : {},
    component: lazyRouteComponent(() => import('./SignupView'), 'SignupView'),
  }),
] as const;
