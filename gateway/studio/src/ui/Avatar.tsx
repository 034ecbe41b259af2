import { address } from '@/api/address';
import styles from './Avatar.module.css';

/**
 * Somebody's picture, else their initials. It says nothing by itself: the name stands beside it. Pictures of other
 * hosts are not asked for: they would learn who looks.
 */
export function Avatar({ name, url, size = 28 }: { name: string; url?: string | null; size?: number }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
  const own = url?.startsWith('/') ? address(url) : null;
  return (
    <span
      className={styles.avatar}
      style={{ width: size, height: size, fontSize: size * 0.4 }}
      aria-hidden="true"
      data-initials={own ? undefined : initials}
    >
      {own && <img src={own} alt="" width={size} height={size} />}
    </span>
  );
}
