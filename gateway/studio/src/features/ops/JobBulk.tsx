import { Ban, Play, RotateCcw, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { JobAction } from '@/api/ops';
import type { Meant } from '@/api/opsJobs';
import { Act } from './Act';
import { BulkDialog } from './BulkDialog';
import styles from './JobBulk.module.css';
import { filterOf, isFiltered, type JobSearch } from './jobSearch';

interface Props {
  search: JobSearch;
  chosen: ReadonlySet<string>;
  onDone: () => void;
}

const ACTIONS: readonly { action: JobAction; label: string; icon: ReactNode }[] = [
  { action: 'retry', label: 'Retry', icon: <RotateCcw /> },
  { action: 'run_now', label: 'Run now', icon: <Play /> },
  { action: 'cancel', label: 'Cancel', icon: <Ban /> },
  { action: 'delete', label: 'Delete', icon: <Trash2 /> },
];

/** Acts on the chosen jobs; when none is chosen, on all that match the filter. */
export function JobBulk({ search, chosen, onDone }: Props) {
  const [asking, setAsking] = useState<{ action: JobAction; meant: Meant } | null>(null);
  const meant = meantBy(search, chosen);
  return (
    <div className={styles.bulk}>
      <span className={styles.what} aria-live="polite">
        {chosen.size > 0
          ? `${chosen.size} chosen`
          : meant
            ? 'All that match'
            : 'Filter or choose jobs to act on them'}
      </span>
      {ACTIONS.map(({ action, label, icon }) => (
        <Act
          key={action}
          icon={icon}
          disabled={!meant}
          title={meant ? undefined : 'Filter or choose jobs first'}
          onClick={() => meant && setAsking({ action, meant })}
        >
          {label}
        </Act>
      ))}
      {asking && (
        <BulkDialog
          action={asking.action}
          meant={asking.meant}
          onClose={() => setAsking(null)}
          onDone={onDone}
        />
      )}
    </div>
  );
}

function meantBy(search: JobSearch, chosen: ReadonlySet<string>): Meant | null {
  if (chosen.size > 0) return { ids: [...chosen] };
  return isFiltered(search) ? { filter: filterOf(search) } : null;
}
