import { Link, useLocation } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import styles from './WayBack.module.css';

/** What an embedded studio has in place of the navigation: from any other view, the way to where things are made. */
export function WayBack() {
  const { pathname } = useLocation();
  if (pathname.includes('/studio/create/')) return null;
  return (
    <nav aria-label="Studio" className={styles.bar}>
      <Link to="/studio/create/$kind" params={{ kind: 'image' }} className={styles.link}>
        <ArrowLeft aria-hidden="true" /> Create
      </Link>
    </nav>
  );
}
