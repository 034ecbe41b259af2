import { useQuery } from '@tanstack/react-query';
import { api, type User, unwrapped } from './client';
import { keys } from './keys';

/** Who is signed in; in open mode the person whose machine this is. */
export function useMe() {
  return useQuery({ queryKey: keys.me, queryFn: fetchMe, staleTime: 5 * 60_000 });
}

function fetchMe(): Promise<User> {
  return unwrapped(api.GET('/api/auth/me'));
}
