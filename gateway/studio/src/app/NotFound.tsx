import { Link, type LinkProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { EmptyState } from '@/ui/EmptyState';
import { View } from './View';

/** An address of the studio that leads nowhere. */
export function NotFound() {
  return (
    <Nothing to="/studio/create/$kind" params={{ kind: 'image' } as never} label="Make something">
      The address may be mistyped, or what was there is gone.
    </Nothing>
  );
}

/** And one of the operators'. */
export function OpsNotFound() {
  return (
    <Nothing to="/ops/queues" label="To the queues">
      The address may be mistyped, or the job is gone.
    </Nothing>
  );
}

interface Props extends Pick<LinkProps, 'to' | 'params'> {
  label: string;
  children: string;
}

function Nothing({ label, children, ...place }: Props) {
  return (
    <View title="Not found" hideTitle>
      <EmptyState
        icon={<Compass />}
        title="There is nothing here"
        action={<Link {...(place as { to: '/ops/queues' })}>{label}</Link>}
      >
        {children}
      </EmptyState>
    </View>
  );
}
