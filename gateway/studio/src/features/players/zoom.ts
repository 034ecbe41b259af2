/** How a picture is seen: its size against the one that fits, and how far its middle is moved, in CSS pixels. */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export interface Place {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const FIT: Zoom = { scale: 1, x: 0, y: 0 };
export const MOST = 12;
export const STEP = 1.4;

/** Larger or smaller by a factor, with the point (from the pane's middle) staying where it is. */
export function zoomed(zoom: Zoom, factor: number, point: Place, pane: Size): Zoom {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return kept(
    { scale, x: point.x - (point.x - zoom.x) * grown, y: point.y - (point.y - zoom.y) * grown },
    pane,
  );
}

export function panned(zoom: Zoom, dx: number, dy: number, pane: Size): Zoom {
  return kept({ ...zoom, x: zoom.x + dx, y: zoom.y + dy }, pane);
}

/** The pane stays covered: what fits cannot be moved. */
function kept(zoom: Zoom, pane: Size): Zoom {
  const room = (size: number) => (size * (zoom.scale - 1)) / 2;
  return {
    scale: zoom.scale,
    x: clamped(zoom.x, room(pane.width)),
    y: clamped(zoom.y, room(pane.height)),
  };
}

function clamped(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value)) + 0;
}
