import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, type User, unwrapped } from './client';
import { keys } from './keys';
import { isHere } from './person';

/** Who is signed in; in open mode the person whose machine this is. */
export function useMe() {
  return useQuery(meQuery());
}

export function meQuery() {
  return queryOptions({ queryKey: keys.me, queryFn: fetchMe, staleTime: 5 * 60_000 });
}

async function fetchMe(): Promise<User> {
  const me = await unwrapped(api.GET('/api/auth/me'));
  isHere(me.id);
  return me;
}
