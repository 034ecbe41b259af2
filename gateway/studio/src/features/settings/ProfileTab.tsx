import { useMe } from '@/api/me';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { PasswordSection } from './PasswordSection';
import { PlanSection } from './PlanSection';
import { ProfileSection } from './ProfileSection';

export default function ProfileTab() {
  const { data: user, error, refetch } = useMe();
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!user) return <Skeleton height={320} />;
  return (
    <>
      <ProfileSection key={user.updated_at} user={user} />
      <PlanSection />
      {user.email !== null && <PasswordSection email={user.email} />}
    </>
  );
}
