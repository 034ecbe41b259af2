import type { ReactNode } from 'react';
import { Card } from '@/ui/Card';
import styles from './Section.module.css';

interface Props {
  title: string;
  /** What it is for, in a sentence. */
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, about, actions, children }: Props) {
  return (
    <Card title={title} actions={actions}>
      {about && <p className={styles.about}>{about}</p>}
      <div className={styles.content}>{children}</div>
    </Card>
  );
}
