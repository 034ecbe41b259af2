import { api, type User, unwrapped } from './client';
import { isHere } from './person';

export interface Credentials {
  email: string;
  password: string;
}

/** Both answer with the cookies of a session; the tokens in the body are for programs. */
export async function logIn(credentials: Credentials): Promise<User> {
  const signedIn = await unwrapped(api.POST('/api/auth/login', { body: credentials }));
  isHere(signedIn.user.id);
  return signedIn.user;
}

export async function signUp(person: Credentials & { name?: string }): Promise<User> {
  const signedIn = await unwrapped(api.POST('/api/auth/signup', { body: person as never }));
  isHere(signedIn.user.id);
  return signedIn.user;
}
