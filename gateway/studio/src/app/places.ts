import type { LinkProps } from '@tanstack/react-router';
import {
  Activity,
  Boxes,
  ChartColumn,
  Clock,
  Columns2,
  Cpu,
  FileClock,
  FolderOpen,
  Images,
  type LucideIcon,
  OctagonAlert,
  Plug,
  Rows3,
  Server,
  Settings,
  Sparkles,
  Star,
} from 'lucide-react';

export interface Place {
  label: string;
  icon: LucideIcon;
  link: Pick<LinkProps, 'to' | 'params'>;
  /** Paths below this are the same place. */
  under: string;
}

function place(
  label: string,
  icon: LucideIcon,
  to: LinkProps['to'],
  under: string,
  params?: LinkProps['params'],
): Place {
  return { label, icon, under, link: { to, ...(params && { params }) } };
}

const create = place('Create', Sparkles, '/studio/create/$kind', '/studio/create', {
  kind: 'image',
} as never);
const gallery = place('Gallery', Images, '/studio/gallery', '/studio/gallery');
const jobs = place('Jobs', Activity, '/studio/jobs', '/studio/jobs');
const projects = place('Projects', FolderOpen, '/studio/projects', '/studio/projects');
const history = place('History', Clock, '/studio/history', '/studio/history');
const favourites = place('Favourites', Star, '/studio/favourites', '/studio/favourites');
const compare = place('Compare', Columns2, '/studio/compare', '/studio/compare');
const analytics = place('Analytics', ChartColumn, '/studio/analytics', '/studio/analytics');
const settings = place('Settings', Settings, '/studio/settings/$tab', '/studio/settings', {
  tab: 'profile',
} as never);

/** The studio's navigation, in groups. */
export const STUDIO_PLACES: readonly (readonly Place[])[] = [
  [create, jobs],
  [gallery, history, favourites, compare],
  [projects, analytics, settings],
];

/** The bottom bar has room for four; the others are behind "More". */
export const BAR_PLACES: readonly Place[] = [create, gallery, jobs, projects];
export const MORE_PLACES: readonly Place[] = [history, favourites, compare, analytics, settings];

export const OPS_PLACES: readonly (readonly Place[])[] = [
  [
    place('Queues', Rows3, '/ops/queues', '/ops/queues'),
    place('Jobs', Boxes, '/ops/jobs', '/ops/jobs'),
    place('Failures', OctagonAlert, '/ops/failures', '/ops/failures'),
  ],
  [
    place('Workers', Cpu, '/ops/workers', '/ops/workers'),
    place('Providers', Plug, '/ops/providers', '/ops/providers'),
    place('Audit', FileClock, '/ops/audit', '/ops/audit'),
    place('System', Server, '/ops/system', '/ops/system'),
  ],
];
