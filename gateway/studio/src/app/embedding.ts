import { FRAME_NAME } from '@/embed/protocol';

/**
 * Whether this page is the studio's frame in a page of somebody else's (`embed.js`), and then shows itself without
 * its own navigation. The frame's name outlives navigation and reloads, which the parameter does not.
 */
export const embedded =
  typeof window !== 'undefined' &&
  window.parent !== window &&
  (window.name === FRAME_NAME || new URLSearchParams(location.search).has('embed'));
