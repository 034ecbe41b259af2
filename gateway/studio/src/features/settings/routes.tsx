import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/settings',
    beforeLoad: () => {
      throw redirect({ to: '/studio/settings/$tab', params: { tab: 'profile' }, replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/settings/$tab',
    component: lazyRouteComponent(() => import('./SettingsView'), 'SettingsView'),
  }),
] as const;
