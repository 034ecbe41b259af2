import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/settings/$tab',
    component: lazyRouteComponent(() => import('./SettingsView'), 'SettingsView'),
  }),
] as const;
