import { Star } from 'lucide-react';
import { classes } from '@/ui/classes';
import styles from './Stars.module.css';

const ALL = [1, 2, 3, 4, 5];

interface Props {
  value: number | null;
  onChange: (value: number | null) => void;
}

/** One to five; the same star again takes them away. */
export function Stars({ value, onChange }: Props) {
  return (
    <fieldset className={styles.stars}>
      <legend className="unseen">Rating</legend>
      {ALL.map((star) => (
        <button
          key={star}
          type="button"
          aria-label={star === 1 ? '1 star' : `${star} stars`}
          aria-pressed={value === star}
          className={classes(styles.star, star <= (value ?? 0) && styles.on)}
          onClick={() => onChange(value === star ? null : star)}
        >
          <Star aria-hidden="true" />
        </button>
      ))}
    </fieldset>
  );
}
