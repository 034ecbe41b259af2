import { Link, Outlet } from '@tanstack/react-router';
import { Lock } from 'lucide-react';
import { useMe } from '@/api/me';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading } from '@/ui/Skeleton';
import { useOpsTopic } from './listening';
import { OpsShortcuts } from './OpsShortcuts';

/** In front of every operators' view: it asks who is here before a view asks for what they may not see. */
export function Gate() {
  const { data: me, error, refetch } = useMe();
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!me) return <Loading />;
  if (me.role === 'user') return <Closed />;
  return <Desk />;
}

function Desk() {
  useOpsTopic();
  return (
    <>
      <OpsShortcuts />
      <Outlet />
    </>
  );
}

function Closed() {
  return (
    <View title="Operations" hideTitle>
      <EmptyState
        icon={<Lock />}
        title="These pages are for operators"
        action={
          <Link to="/studio/create/$kind" params={{ kind: 'image' }}>
            To the studio
          </Link>
        }
      >
        They show the work of everybody here, so your role does not open them (403). An admin can make you a
        viewer, who sees all, or an operator, who acts too.
      </EmptyState>
    </View>
  );
}
