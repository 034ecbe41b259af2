import { useNavigate, useSearch } from '@tanstack/react-router';
import { View } from '@/app/View';
import { Reports } from './Reports';

export function AnalyticsView() {
  const search = useSearch({ from: '/_studio/studio/analytics' });
  const navigate = useNavigate();
  return (
    <View title="Analytics">
      <Reports
        search={search}
        onSearch={(next) => void navigate({ to: '/studio/analytics', search: next, replace: true })}
      />
    </View>
  );
}
