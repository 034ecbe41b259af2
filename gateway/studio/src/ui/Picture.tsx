import { fileAddress } from '@/api/address';
import styles from './Picture.module.css';

interface Props {
  src: string;
  /** What it shows: the prompt. */
  alt: string;
  width?: number | null;
  height?: number | null;
  lazy?: boolean;
}

/** A picture whose place is kept while it loads. */
export function Picture({ src, alt, width, height, lazy }: Props) {
  return (
    <img
      className={styles.picture}
      src={fileAddress(src)}
      alt={alt}
      width={width ?? undefined}
      height={height ?? undefined}
      loading={lazy ? 'lazy' : undefined}
      decoding="async"
    />
  );
}
