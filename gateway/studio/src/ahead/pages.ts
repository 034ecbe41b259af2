import { KINDS } from '@/features/create/kinds';
import { FIRST_PAGE } from '@/features/library/early';

/** Where people arrive, and what the first view there needs beside the frame. */
export interface Ahead {
  /** The view's own address, then those that lead to it. */
  paths: readonly [string, ...string[]];
  /** The view's file below `features/`. */
  view: string;
  /** What it asks the gateway for at once. */
  calls: readonly string[];
  /** Whether pictures are what people come for: the scripts that make them move wait for them. */
  hasPictures?: boolean;
}

const FRAME_CALLS = ['/api/v1/overview', '/api/auth/me'];

function page(path: string, view: string, ...calls: string[]): Ahead {
  return { paths: [path], view, calls: [...calls, ...FRAME_CALLS] };
}

function led(from: string, to: Ahead): Ahead {
  return { ...to, paths: [...to.paths, from] };
}

const [image, ...others] = KINDS.map(({ name }) =>
  page(
    `/studio/create/${name}`,
    'create/CreateView.tsx',
    `/api/v1/models?kind=${name}`,
    '/api/v1/projects?limit=100',
  ),
);

/** Rendered when the studio is built. Every other address begins with an empty page, as in the dev server. */
export const PAGES: readonly Ahead[] = [
  led('/studio', image as Ahead),
  ...others,
  { ...page('/studio/gallery', 'library/GalleryView.tsx', FIRST_PAGE), hasPictures: true },
  page('/studio/history', 'library/HistoryView.tsx'),
  page('/studio/favourites', 'library/FavouritesView.tsx'),
  page('/studio/jobs', 'watch/JobsView.tsx'),
  page('/studio/projects', 'projects/ProjectsView.tsx'),
  led('/ops', page('/ops/queues', 'ops/QueuesView.tsx')),
];
