import { Dialog } from '@/ui/Dialog';
import { printed } from './chord';
import { useActiveShortcuts } from './registry';
import styles from './ShortcutHelp.module.css';

/** All keys that do something in the view behind it. */
export function ShortcutHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = useActiveShortcuts();
  return (
    <Dialog open={open} title="Keyboard" size="lg" onClose={onClose}>
      <div className={styles.groups}>
        {groups.toReversed().map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl className={styles.list}>
              {group.shortcuts.map((one) => (
                <div key={one.chord}>
                  <dt>
                    {printed(one.chord).map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{one.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
