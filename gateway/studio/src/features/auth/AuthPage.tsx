import type { ReactNode } from 'react';
import { Brand } from '@/app/Brand';
import { useTitle } from '@/app/title';
import styles from './AuthPage.module.css';

interface Props {
  title: string;
  /** Below the card: the way to the other page. */
  foot?: ReactNode;
  children: ReactNode;
}

/** A page without the frame, for those who are not in yet. */
export function AuthPage({ title, foot, children }: Props) {
  useTitle(title);
  return (
    <main id="main" className={styles.page}>
      <div className={styles.column}>
        <Brand />
        <section className={styles.card}>
          <h1>{title}</h1>
          {children}
        </section>
        {foot && <p className={styles.foot}>{foot}</p>}
      </div>
    </main>
  );
}
