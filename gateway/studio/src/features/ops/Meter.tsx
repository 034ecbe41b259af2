import styles from './Meter.module.css';

/** How many of how many are in use, as a bar and in numbers. */
export function Meter({ label, used, total }: { label: string; used: number; total: number }) {
  const share = total > 0 ? Math.min(1, used / total) : 0;
  return (
    <div className={styles.meter}>
      <span className={styles.numbers}>
        {used} of {total}
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> each in their own way */}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={used}
        aria-valuetext={`${used} of ${total}`}
        className={styles.track}
      >
        <div className={styles.bar} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
