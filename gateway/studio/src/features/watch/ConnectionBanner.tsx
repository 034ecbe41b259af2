import { CloudOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { socket, useConnection } from '@/live/live';
import { Button } from '@/ui/Button';
import styles from './ConnectionBanner.module.css';

/** A line that breaks and is back before this is nobody's concern. */
const PATIENCE_MS = 2_500;

/** Says that no news comes, when that lasts, and that nothing is lost by it. */
export function ConnectionBanner() {
  const away = useAway();
  const offline = away && !navigator.onLine;
  return (
    <div role="status" className={styles.place}>
      {away && (
        <div className={styles.banner}>
          <CloudOff aria-hidden="true" />
          <span>
            {offline ? 'Offline' : 'No connection to Penstock'} — what runs goes on; you will see it when you
            are back.
          </span>
          {!offline && (
            <Button size="sm" look="quiet" onClick={() => socket.connectNow()}>
              Try now
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** True when there has been no connection for a while; that it is being tried again changes nothing. */
function useAway(): boolean {
  const isLive = useConnection() === 'live';
  const [away, setAway] = useState(false);
  useEffect(() => {
    if (isLive) {
      setAway(false);
      return;
    }
    const timer = setTimeout(() => setAway(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLive]);
  return away;
}
