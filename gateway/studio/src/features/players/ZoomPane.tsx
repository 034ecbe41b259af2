import { type PointerEvent, type ReactNode, useEffect, useRef } from 'react';
import { classes } from '@/ui/classes';
import styles from './ZoomPane.module.css';
import { FIT, type Place, panned, type Zoom, zoomed } from './zoom';

interface Props {
  zoom: Zoom;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
  className?: string;
  children: ReactNode;
}

const WHEEL = 0.0022;
const CLOSE_UP = 2.5;

/** What is inside can be enlarged and moved: wheel, two fingers, double click, drag. Panes may share their zoom. */
export function ZoomPane({ zoom, onZoom, className, children }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const fingers = useRef(new Map<number, Place>());
  const latest = useRef(onZoom);
  latest.current = onZoom;

  useEffect(() => {
    const pane = ref.current;
    if (!pane) return;
    // React listens to wheels passively, and the page must not scroll along.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const factor = Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 16 : 1));
      const at = fromMiddle(pane, event);
      latest.current((now) => zoomed(now, factor, at, sizeOf(pane)));
    };
    pane.addEventListener('wheel', onWheel, { passive: false });
    return () => pane.removeEventListener('wheel', onWheel);
  }, []);

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const pane = event.currentTarget;
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const now = fromMiddle(pane, event);
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    fingers.current.set(event.pointerId, now);
    if (other) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      onZoom((zoom) => zoomed(zoom, factor, middle, sizeOf(pane)));
    } else {
      onZoom((zoom) => panned(zoom, now.x - before.x, now.y - before.y, sizeOf(pane)));
    }
  };
  const release = (event: PointerEvent) => fingers.current.delete(event.pointerId);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its keys are shortcuts of the view
    <div
      ref={ref}
      className={classes(styles.pane, zoom.scale > 1 && styles.close, className)}
      onPointerDown={(event) => {
        if (event.pointerType === 'mouse' && event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        fingers.current.set(event.pointerId, fromMiddle(event.currentTarget, event));
      }}
      onPointerMove={onPointerMove}
      onPointerUp={release}
      onPointerCancel={release}
      onDoubleClick={(event) => {
        const pane = event.currentTarget;
        const at = fromMiddle(pane, event);
        onZoom((now) => (now.scale > 1 ? FIT : zoomed(now, CLOSE_UP, at, sizeOf(pane))));
      }}
    >
      <div
        className={styles.inside}
        style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
      >
        {children}
      </div>
    </div>
  );
}

function fromMiddle(pane: HTMLElement, event: { clientX: number; clientY: number }): Place {
  const box = pane.getBoundingClientRect();
  return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
}

function sizeOf(pane: HTMLElement) {
  return { width: pane.clientWidth, height: pane.clientHeight };
}

function distance(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
