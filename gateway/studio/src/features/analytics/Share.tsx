import styles from './Share.module.css';

/** A number with a bar beside it, as long as its share of the largest. */
export function Share({ value, most, text }: { value: number; most: number; text: string }) {
  const percent = most > 0 ? (value / most) * 100 : 0;
  return (
    <span className={styles.share}>
      <span>{text}</span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${percent}%` }} />
      </span>
    </span>
  );
}
