import { Link } from '@tanstack/react-router';
import styles from './Brand.module.css';

export function Brand({ title = 'Studio' }: { title?: string }) {
  return (
    <Link to="/studio/create/$kind" params={{ kind: 'image' }} className={styles.brand}>
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="var(--accent)" />
        <path
          d="M10 25V7h7.2a5.8 5.8 0 0 1 0 11.6H14"
          fill="none"
          stroke="var(--accent-ink)"
          strokeWidth="3.2"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span>
        Penstock <span className={styles.part}>{title}</span>
      </span>
    </Link>
  );
}
