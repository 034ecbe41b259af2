import { Sparkles } from 'lucide-react';
import { memo } from 'react';
import { fileAddress } from '@/api/address';
import { KINDS } from '@/features/create/kinds';
import type { Job } from '@/live/jobs';
import styles from './JobThumb.module.css';

/** What came of it, small; until then, and for what cannot be seen, the icon of its kind. */
export const JobThumb = memo(function JobThumb({ resource }: Pick<Job, 'resource'>) {
  const kind = KINDS.find((one) => one.name === resource?.kind);
  const Icon = kind?.icon ?? Sparkles;
  const first = resource?.outputs[0];
  const picture = first?.thumbnail_url ?? first?.poster_url;
  return (
    <span className={styles.thumb} title={kind?.label}>
      {picture ? (
        <img src={fileAddress(picture)} alt="" width={48} height={48} loading="lazy" decoding="async" />
      ) : (
        <Icon aria-hidden="true" />
      )}
    </span>
  );
});
