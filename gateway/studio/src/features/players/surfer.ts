import type WaveSurfer from 'wavesurfer.js';
import { cspNonce } from '@/app/nonce';
import { halvesOf, type Peaks } from './peaks';

const BARS = { barWidth: 2, barGap: 2, barRadius: 2, barMinHeight: 2, cursorWidth: 2 };

/**
 * Draws a waveform into an element, as high and wide as that. The library comes when the first is drawn, so that no
 * page waits for it; what plays is the jukebox's, whose place it is told.
 */
export async function surferIn(container: HTMLElement, peaks: Peaks): Promise<WaveSurfer> {
  const { default: Library } = await import('wavesurfer.js');
  const surfer = Library.create({
    container,
    peaks: halvesOf(peaks),
    duration: peaks.duration_s,
    height: 'auto',
    normalize: true,
    interact: false,
    hideScrollbar: true,
    cspNonce: cspNonce(),
    ...BARS,
    ...coloursOf(container),
  });
  return new Promise((drawn) => surfer.once('ready', () => drawn(surfer)));
}

/** The theme's colours as they are now; a canvas does not follow them by itself. */
export function coloursOf(element: HTMLElement) {
  const token = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  return { waveColor: token('--line-strong'), progressColor: token('--accent') };
}
