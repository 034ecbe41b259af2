import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { assetsQuery } from '@/api/assets';
import { queryClient } from '@/api/queries';
import { studioRoute } from '@/app/root';
import { assetFilters, filtersOf, readSearch } from './filters';

export const libraryRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/gallery',
    component: lazyRouteComponent(() => import('./GalleryView'), 'GalleryView'),
    staticData: {
      ask: ({ search }) =>
        queryClient.prefetchInfiniteQuery(assetsQuery(assetFilters(filtersOf(readSearch({ ...search }))))),
    },
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
