import { useQuery } from '@tanstack/react-query';
import { api, type Schema, taken, type User, unwrapped } from './client';
import { keys } from './keys';

export type Session = Schema['SessionResource'];
export type ProfileChanges = Partial<Schema['ProfileRequest']>;

export function changeProfile(changes: ProfileChanges): Promise<User> {
  return unwrapped(api.PATCH('/api/auth/me', { body: changes as never }));
}

export function changePassword(current: string, next: string) {
  return taken(api.POST('/api/auth/password', { body: { current_password: current, new_password: next } }));
}

/** Where this account is signed in; none when nobody signs in. */
export function useSessions() {
  return useQuery({ queryKey: keys.sessions, queryFn: fetchSessions });
}

async function fetchSessions(): Promise<Session[]> {
  return (await taken(api.GET('/api/v1/sessions'))).data;
}

export function endSession(id: string) {
  return taken(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } }));
}
