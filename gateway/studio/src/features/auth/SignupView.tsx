import { UserPlus } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function SignupView() {
  return (
    <View title="Sign up">
      <EmptyState icon={<UserPlus />} title="Sign up" />
    </View>
  );
}
