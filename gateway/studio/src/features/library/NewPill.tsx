import { ArrowUp } from 'lucide-react';
import { useEffect } from 'react';
import styles from './NewPill.module.css';

interface Props {
  count: number;
  /** Nobody looks at anything that could move: what is new may appear by itself. */
  calm: boolean;
  onTake: () => void;
}

/** Says that there is something new above, and shows it when one wants to. */
export function NewPill({ count, calm, onTake }: Props) {
  useEffect(() => {
    if (count > 0 && calm) onTake();
  });
  return (
    <div aria-live="polite" className={styles.place}>
      {count > 0 && !calm && (
        <button
          type="button"
          className={styles.pill}
          onClick={() => {
            onTake();
            window.scrollTo({ top: 0 });
          }}
        >
          <ArrowUp aria-hidden="true" />
          {count} new
        </button>
      )}
    </div>
  );
}
