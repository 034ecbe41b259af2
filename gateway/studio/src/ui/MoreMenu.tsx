import { Ellipsis } from 'lucide-react';
import buttons from './Button.module.css';
import { classes } from './classes';
import { Menu, type MenuItem } from './Menu';

interface Props {
  /** Whose actions these are, for those who do not see it. */
  name: string;
  items: readonly MenuItem[];
  look?: 'plain' | 'quiet';
  size?: 'sm' | 'md';
  className?: string;
}

/** Three dots, and behind them what is done less often. */
export function MoreMenu({ look = 'quiet', size = 'md', className, ...menu }: Props) {
  return (
    <Menu
      {...menu}
      className={classes(buttons.button, buttons.icon, buttons[look], buttons[size], className)}
      button={<Ellipsis aria-hidden="true" />}
    />
  );
}
