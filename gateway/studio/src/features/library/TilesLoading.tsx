import { Loading, Skeleton } from '@/ui/Skeleton';
import styles from './TilesLoading.module.css';

const SHAPES = [1, 1.5, 1.3, 0.8, 1.6, 1];

/** Where the grid will be, in CSS pixels, while its shape is shown; else zeros. */
export function tilesPlace(): { top: number; width: number } {
  const place = globalThis.document?.querySelector<HTMLElement>(`.${styles.rows}`);
  return { top: place?.offsetTop ?? 0, width: place?.clientWidth ?? 0 };
}

/** The shape of the grid before it is there. */
export function TilesLoading({ rows = 3 }: { rows?: number }) {
  const lines = Array.from({ length: rows }, (_, n) => [...SHAPES.slice(n), ...SHAPES.slice(0, n)]);
  return (
    <div className={styles.rows}>
      <Loading />
      {lines.map((shapes) => (
        <div key={shapes.join()} className={styles.row}>
          {shapes.map((shape, n) => (
            <span key={`${shape}-${n.toString()}`} style={{ flexGrow: shape }}>
              <Skeleton height={208} />
            </span>
          ))}
        </div>
      ))}
    </div>
  );
}
