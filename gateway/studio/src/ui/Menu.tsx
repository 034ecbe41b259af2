import { type ReactNode, useId, useRef, useState } from 'react';
import { useAnchored } from './anchored';
import { classes } from './classes';
import styles from './Menu.module.css';
import { rove } from './roving';

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  /** Printed keys that do the same. */
  keys?: string;
  danger?: boolean;
  disabled?: boolean;
  run: () => void;
}

interface Props {
  /** What is inside the button, and its name for those who do not see it. */
  button: ReactNode;
  name: string;
  items: readonly MenuItem[];
  className?: string;
  disabled?: boolean;
  /** Above the items, such as who is signed in. */
  head?: ReactNode;
}

/** A button that opens a list of actions, in the top layer. */
export function Menu({ button, name, items, className, disabled, head }: Props) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const place = () => {
    const box = opener.current?.getBoundingClientRect();
    const menu = list.current;
    if (!box || !menu) return;
    // Its opener is not there any more at this width.
    if (box.width === 0) return menu.hidePopover();
    const below = innerHeight - box.bottom > menu.offsetHeight + 8;
    menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
    menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
  };
  useAnchored(open, place);
  return (
    <>
      <button
        ref={opener}
        type="button"
        aria-label={name}
        aria-haspopup="menu"
        disabled={disabled}
        popoverTarget={id}
        className={className}
      >
        {button}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        className={styles.popover}
        onToggle={(event) => {
          const opened = event.newState === 'open';
          setOpen(opened);
          if (!opened) return;
          place();
          list.current?.querySelector<HTMLElement>('[role=menuitem]:enabled')?.focus();
        }}
      >
        {head && <div className={styles.head}>{head}</div>}
        <div
          role="menu"
          aria-label={name}
          tabIndex={-1}
          onKeyDown={(event) => rove(event, '[role=menuitem]:enabled')}
        >
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              disabled={item.disabled}
              className={classes(styles.item, item.danger && styles.danger)}
              onClick={() => {
                list.current?.hidePopover();
                item.run();
              }}
            >
              {item.icon}
              <span>{item.label}</span>
              {item.keys && <kbd>{item.keys}</kbd>}
            </button>
          ))}
        </div>
      </div>
    </>
  );
}
