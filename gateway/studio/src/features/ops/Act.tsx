import type { ComponentProps } from 'react';
import { Button } from '@/ui/Button';
import { useMayAct, WHY_NOT } from './access';

/** A button that changes something: those who only look on see it, and why it is not for them. */
export function Act({ disabled, title, ...rest }: ComponentProps<typeof Button>) {
  const may = useMayAct();
  return <Button size="sm" {...rest} disabled={disabled || !may} title={may ? title : WHY_NOT} />;
}
