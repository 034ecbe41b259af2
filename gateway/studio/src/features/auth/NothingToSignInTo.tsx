import { Link } from '@tanstack/react-router';
import { AuthPage } from './AuthPage';
import styles from './AuthPage.module.css';

/** An open installation has one person, and no door. */
export function NothingToSignInTo() {
  return (
    <AuthPage title="There is nothing to sign in to">
      <p className={styles.lead}>
        This installation is open: whoever reaches it works in the same account. AUTH_MODE=required gives
        everybody an account of their own.
      </p>
      <Link to="/studio" className={styles.go}>
        Open the studio
      </Link>
    </AuthPage>
  );
}
