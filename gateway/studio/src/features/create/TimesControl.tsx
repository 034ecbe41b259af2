import { SegmentedControl } from '@/ui/SegmentedControl';
import styles from './CreateForm.module.css';
import { changeDraft } from './drafts';

const CHOICES = [1, 2, 4];

/** How many to make of it at once. */
export function TimesControl({ kind, times }: { kind: string; times: number }) {
  const choices = CHOICES.includes(times) ? CHOICES : [...CHOICES, times].sort((a, b) => a - b);
  return (
    <div className={styles.times}>
      <span aria-hidden="true">How many</span>
      <SegmentedControl
        label="How many"
        segments={choices.map((n) => ({ value: String(n), label: String(n) }))}
        value={String(times)}
        onChange={(n) => changeDraft(kind, { times: Number(n) })}
      />
    </div>
  );
}
