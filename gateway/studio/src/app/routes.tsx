import { createRoute } from '@tanstack/react-router';
import { analyticsRoutes } from '@/features/analytics/routes';
import { authRoutes } from '@/features/auth/routes';
import { compareRoutes } from '@/features/compare/routes';
import { createRoutes } from '@/features/create/routes';
import { libraryRoutes } from '@/features/library/routes';
import { opsRoutes } from '@/features/ops/routes';
import { projectRoutes } from '@/features/projects/routes';
import { settingsRoutes } from '@/features/settings/routes';
import { watchRoutes } from '@/features/watch/routes';
import { nowhereRoute, opsNowhereRoute, opsRoute, rootRoute, studioRoute, toCreate } from './root';

const home = ['/', '/studio'] as const;

const homeRoutes = [
  createRoute({ getParentRoute: () => rootRoute, path: home[0], beforeLoad: toCreate }),
  createRoute({ getParentRoute: () => rootRoute, path: home[1], beforeLoad: toCreate }),
] as const;

export const routeTree = rootRoute.addChildren([
  ...homeRoutes,
  ...authRoutes,
  studioRoute.addChildren([
    ...createRoutes,
    ...watchRoutes,
    ...libraryRoutes,
    ...compareRoutes,
    ...projectRoutes,
    ...analyticsRoutes,
    ...settingsRoutes,
    nowhereRoute,
  ]),
  opsRoute.addChildren([...opsRoutes, opsNowhereRoute]),
]);
