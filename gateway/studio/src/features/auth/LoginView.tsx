import { LogIn } from 'lucide-react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';

export function LoginView() {
  return (
    <View title="Sign in">
      <EmptyState icon={<LogIn />} title="Sign in" />
    </View>
  );
}
