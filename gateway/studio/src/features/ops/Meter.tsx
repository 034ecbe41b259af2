import { Meter as Bar } from '@/ui/Meter';
import styles from './Meter.module.css';

/** How many of how many are in use, as a bar and in numbers; to be full is no fault. */
export function Meter({ label, used, total }: { label: string; used: number; total: number }) {
  const text = `${used} of ${total}`;
  return (
    <div className={styles.meter}>
      <span className={styles.numbers}>{text}</span>
      <Bar label={label} used={used} limit={Math.max(total, 1)} text={text} calm />
    </div>
  );
}
