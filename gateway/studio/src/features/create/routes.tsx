import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { modelsQuery } from '@/api/models';
import { projectChoicesQuery } from '@/api/projects';
import { queryClient } from '@/api/queries';
import { studioRoute } from '@/app/root';

export const PREVIEWS = ['preview', 'gallery', 'history'] as const;
export type PreviewName = (typeof PREVIEWS)[number];

interface Search {
  /** The generation that the preview shows. */
  show?: string;
  /** What of the preview panel is in sight. */
  panel?: PreviewName;
}

function readSearch(search: Record<string, unknown>): Search {
  const panel = PREVIEWS.find((one) => one === search.panel);
  return {
    ...(typeof search.show === 'string' && { show: search.show }),
    ...(panel && panel !== 'preview' && { panel }),
  };
}

export const createRoutes = [
  createRoute({
    getParentRoute: () => studioRoute,
    path: '/studio/create/$kind',
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import('./CreateView'), 'CreateView'),
    staticData: {
      // The form has a place for a project if there is one: with both it is drawn once.
      ask: ({ params }) =>
        Promise.all([
          queryClient.prefetchQuery(modelsQuery(params.kind ?? '')),
          queryClient.prefetchQuery(projectChoicesQuery()),
        ]),
    },
  }),
] as const;
