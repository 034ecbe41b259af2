import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { studioRoute } from '@/app/root';

export const libraryRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/gallery',
    component: lazyRouteComponent(() => import('./GalleryView'), 'GalleryView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/history',
    component: lazyRouteComponent(() => import('./HistoryView'), 'HistoryView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/favourites',
    component: lazyRouteComponent(() => import('./FavouritesView'), 'FavouritesView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/trash',
    component: lazyRouteComponent(() => import('./TrashView'), 'TrashView'),
  }),
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/generations/$id',
    component: lazyRouteComponent(() => import('./GenerationView'), 'GenerationView'),
  }),
] as const;
