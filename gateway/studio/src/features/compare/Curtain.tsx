import { MoveHorizontal } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { ZoomPane } from '@/features/players/ZoomPane';
import type { Zoom } from '@/features/players/zoom';
import styles from './Curtain.module.css';

interface Props {
  a: Asset;
  b: Asset;
  zoom: Zoom;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}

const STEPS: Record<string, number> = {
  ArrowLeft: -2,
  ArrowDown: -2,
  ArrowRight: 2,
  ArrowUp: 2,
  PageDown: -10,
  PageUp: 10,
  Home: -100,
  End: 100,
};

/** The first picture at the left of a line, the second at its right; the line is dragged, or moved by arrow keys. */
export function Curtain({ a, b, zoom, onZoom }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(50);
  const move = (to: number) => setAt(Math.min(100, Math.max(0, to)));
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = frame.current?.getBoundingClientRect();
    if (box) move(((event.clientX - box.left) / box.width) * 100);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(at + step);
  };
  return (
    <div ref={frame} className={styles.frame}>
      <ZoomPane zoom={zoom} onZoom={onZoom}>
        <img src={fileAddress(b.file_url)} alt={`B: ${b.prompt ?? ''}`} draggable={false} />
      </ZoomPane>
      <div className={styles.above} style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }}>
        <ZoomPane zoom={zoom} onZoom={onZoom}>
          <img src={fileAddress(a.file_url)} alt={`A: ${a.prompt ?? ''}`} draggable={false} />
        </ZoomPane>
      </div>
      <span className={styles.a}>A</span>
      <span className={styles.b}>B</span>
      <div
        role="slider"
        tabIndex={0}
        aria-label="How much of A is shown"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(at)}
        aria-valuetext={`${Math.round(at)} %`}
        className={styles.line}
        style={{ left: `${at}%` }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={onKeyDown}
      >
        <span className={styles.grip}>
          <MoveHorizontal aria-hidden="true" />
        </span>
      </div>
    </div>
  );
}
