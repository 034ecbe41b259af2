/** What the preview shows once there is something to see, in a file of its own: the form comes before it. */
export { RecentGallery } from './RecentGallery';
export { RecentHistory } from './RecentHistory';
export { Result } from './Result';
