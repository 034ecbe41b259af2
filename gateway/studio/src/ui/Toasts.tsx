import { X } from 'lucide-react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { Button, IconButton } from './Button';
import { classes } from './classes';
import styles from './Toasts.module.css';
import { close, type Toast, toastStore } from './toasts';

/** Where toasts appear, once per page; `say`, `sayProblem` and `sayUndoable` make them. */
export function Toasts() {
  const toasts = useSyncExternalStore(toastStore.subscribe, toastStore.snapshot, toastStore.snapshot);
  return (
    <section className={styles.stack} aria-live="polite" aria-label="Messages">
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  return (
    <div className={classes(styles.toast, styles[toast.tone])}>
      <p>{toast.message}</p>
      {toast.undo && (
        <Button size="sm" onClick={toast.undo}>
          Undo <Countdown until={toast.until} />
        </Button>
      )}
      {toast.offer && (
        <Button size="sm" onClick={toast.offer.run}>
          {toast.offer.label}
        </Button>
      )}
      <IconButton name="Dismiss" size="sm" icon={<X />} onClick={() => close(toast.id)} />
    </div>
  );
}

/** Not read out: a number each second would drown the message. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return <span aria-hidden="true">{Math.max(0, Math.ceil((until - now) / 1000))} s</span>;
}
