import styles from './Avatar.module.css';

/** Somebody's picture, else their initials. It says nothing by itself: the name stands beside it. */
export function Avatar({ name, url, size = 28 }: { name: string; url?: string | null; size?: number }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
  return (
    <span
      className={styles.avatar}
      style={{ width: size, height: size, fontSize: size * 0.4 }}
      aria-hidden="true"
      data-initials={url ? undefined : initials}
    >
      {url && <img src={url} alt="" width={size} height={size} />}
    </span>
  );
}
