import { Eye } from 'lucide-react';
import { useMe } from '@/api/me';
import { WHY_NOT } from './access';
import styles from './Looking.module.css';

/** Tells viewers once per view why nothing can be pressed. */
export function Looking() {
  if (useMe().data?.role !== 'viewer') return null;
  return (
    <p className={styles.looking}>
      <Eye aria-hidden="true" />
      {WHY_NOT}
    </p>
  );
}
