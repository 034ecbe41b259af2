import { Clock, Eye, Images, Sparkles } from 'lucide-react';
import { lazy, Suspense, useEffect } from 'react';
import type { Generation } from '@/api/client';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { Skeleton } from '@/ui/Skeleton';
import { KINDS } from './kinds';
import styles from './PreviewPanel.module.css';
import { RunningStrip } from './RunningStrip';
import type { PreviewName } from './routes';
import { useFresh, type useShown } from './showing';

interface Props {
  kind: string;
  showing: ReturnType<typeof useShown>;
  /** What is shown is made again, or tried again. */
  onMade: (made: readonly Generation[]) => void;
}

const whole = () => import('./shown');
const Result = lazy(async () => ({ default: (await whole()).Result }));
const RecentGallery = lazy(async () => ({ default: (await whole()).RecentGallery }));
const RecentHistory = lazy(async () => ({ default: (await whole()).RecentHistory }));
/** The form is in use by then, and nobody has waited for a picture yet. */
const SOON_MS = 2000;

const PANELS = [
  { value: 'preview', label: 'Preview', icon: <Eye aria-hidden="true" /> },
  { value: 'gallery', label: 'Gallery', icon: <Images aria-hidden="true" /> },
  { value: 'history', label: 'History', icon: <Clock aria-hidden="true" /> },
] as const satisfies readonly { value: PreviewName; label: string; icon: React.ReactNode }[];

/** At the right: what is chosen, what was made before. What is new says so and waits to be looked at. */
export function PreviewPanel({ kind, showing, onMade }: Props) {
  const { shown, panel, show, go } = showing;
  const fresh = useFresh(kind).filter((job) => job.id !== shown);
  const newest = fresh[0];
  useEffect(() => {
    const due = setTimeout(whole, SOON_MS);
    return () => clearTimeout(due);
  }, []);
  const promise = KINDS.find((one) => one.name === kind)?.promise ?? '';
  return (
    <section aria-label="Preview" className={styles.panel}>
      <header className={styles.head}>
        <SegmentedControl
          label="What to see"
          segments={PANELS}
          value={panel}
          onChange={(next) => go({ panel: next })}
        />
        <span role="status">
          {newest && (
            <Button
              size="sm"
              icon={<Sparkles aria-hidden="true" />}
              className={styles.fresh}
              onClick={() => show(newest.id)}
            >
              {fresh.length} new
            </Button>
          )}
        </span>
      </header>
      <RunningStrip kind={kind} shown={panel === 'preview' ? shown : null} onShow={show} />
      <Suspense fallback={<Skeleton height={320} />}>
        {panel === 'gallery' && <RecentGallery kind={kind} shown={shown} onShow={show} />}
        {panel === 'history' && <RecentHistory kind={kind} shown={shown} onShow={show} />}
        {panel === 'preview' && shown && <Result key={shown} id={shown} onMade={onMade} />}
      </Suspense>
      {panel === 'preview' && !shown && (
        <EmptyState icon={<Sparkles />} title={promise}>
          Describe what you want and press Generate. You can leave this page while it is made.
        </EmptyState>
      )}
    </section>
  );
}
