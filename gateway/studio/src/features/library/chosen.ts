/** What the library shows once something was chosen, in a file of its own: the tiles come before it. */
export { BulkBar } from './BulkBar';
export { DetailsPanel } from './DetailsPanel';
export { Viewer } from './Viewer';
