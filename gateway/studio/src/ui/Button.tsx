import type { ComponentProps, ReactNode } from 'react';
import styles from './Button.module.css';
import { classes } from './classes';
import { Spinner } from './Progress';

export type ButtonLook = 'primary' | 'plain' | 'quiet' | 'danger';

interface Props extends ComponentProps<'button'> {
  look?: ButtonLook;
  size?: 'sm' | 'md';
  icon?: ReactNode;
  /** Shows that it works on it, and takes no second click. */
  busy?: boolean;
}

export function Button({ look = 'plain', size = 'md', icon, busy, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      disabled={rest.disabled || busy}
      className={classes(styles.button, styles[look], styles[size], className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

interface IconProps extends Omit<Props, 'children' | 'icon'> {
  /** What it does, for those who do not see the icon; also its tooltip. */
  name: string;
  icon: ReactNode;
  pressed?: boolean;
}

export function IconButton({
  name,
  icon,
  look = 'quiet',
  pressed,
  className,
  busy,
  size = 'md',
  ...rest
}: IconProps) {
  return (
    <button
      type="button"
      title={name}
      {...rest}
      aria-label={name}
      aria-pressed={pressed}
      aria-busy={busy || undefined}
      disabled={rest.disabled || busy}
      className={classes(styles.button, styles.icon, styles[look], styles[size], className)}
    >
      {busy ? <Spinner /> : icon}
    </button>
  );
}
