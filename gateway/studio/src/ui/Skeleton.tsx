import styles from './Skeleton.module.css';

/** The shape of what is loading. Put one `Loading` near several of them. */
export function Skeleton({
  height = 16,
  width = '100%',
}: {
  height?: number | string;
  width?: number | string;
}) {
  return <span className={styles.skeleton} style={{ height, width }} aria-hidden="true" />;
}

export function Loading({ label = 'Loading' }: { label?: string }) {
  return (
    <span role="status" className="unseen">
      {label} …
    </span>
  );
}
