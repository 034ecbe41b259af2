import type { ReactNode } from 'react';
import type { Job } from '@/live/jobs';
import styles from './JobHead.module.css';
import { JobThumb } from './JobThumb';

interface Props extends Pick<Job, 'resource'> {
  /** Its name, perhaps as a link. */
  title: ReactNode;
  /** Below its name. */
  children: ReactNode;
  /** At the right. */
  end?: ReactNode;
}

/** A job in one row. */
export function JobHead({ resource, title, children, end }: Props) {
  return (
    <div className={styles.head}>
      <JobThumb resource={resource} />
      <div className={styles.words}>
        <p className={styles.title}>{title}</p>
        {children}
      </div>
      {end}
    </div>
  );
}
