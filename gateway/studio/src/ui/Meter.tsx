import { classes } from './classes';
import styles from './Meter.module.css';

interface Props {
  /** What is used up, for those who do not see the bar. */
  label: string;
  used: number;
  /** 0 or less is full from the start. */
  limit: number;
  /** How the two read: "$3.20 of $5.00". */
  text: string;
  /** Shares of the limit that are marked, in percent. */
  marks?: readonly number[];
  /** To come near the limit is nothing to worry about. */
  calm?: boolean;
}

/** How much of a limit is used: amber from 80 %, red when nothing is left. */
export function Meter({ label, used, limit, text, marks = [], calm = false }: Props) {
  const share = limit > 0 ? used / limit : 1;
  const tone = calm ? undefined : share >= 1 ? styles.full : share >= 0.8 ? styles.near : undefined;
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> takes no colours, and no marks
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, Math.round(share * 100))}
      aria-valuetext={text}
      className={styles.track}
    >
      <div className={classes(styles.bar, tone)} style={{ width: `${Math.min(100, share * 100)}%` }} />
      {marks
        .filter((mark) => mark < 100)
        .map((mark) => (
          <span key={mark} className={styles.mark} style={{ left: `${mark}%` }} />
        ))}
    </div>
  );
}
