import styles from './Progress.module.css';

interface Props {
  /** What is going on, for those who do not see the bar. */
  label: string;
  /** 0 to 1; null or nothing when nobody knows. */
  value?: number | null;
}

export function Progress({ label, value }: Props) {
  const known = value !== null && value !== undefined;
  const percent = known ? Math.round(Math.min(1, Math.max(0, value)) * 100) : undefined;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={styles.track}
    >
      <div
        className={known ? styles.bar : styles.unknown}
        style={known ? { transform: `translateX(${(percent ?? 0) - 100}%)` } : undefined}
      />
    </div>
  );
}

/** Beside words that say what is going on. */
export function Spinner() {
  return <span className={styles.spinner} aria-hidden="true" />;
}
