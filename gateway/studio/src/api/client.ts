import createClient from 'openapi-fetch';
import { address } from './address';
import { type Problem, problemOf } from './problem';
import type { components, paths } from './schema';
import { sessionFetch } from './session';

/** Calls any operation, typed by the API's own document: `api.GET('/api/v1/models', { params: … })`. */
export const api = createClient<paths>({
  baseUrl:
    typeof location === 'undefined' ? '' : new URL(address('/'), location.href).href.replace(/\/$/, ''),
  fetch: sessionFetch,
  querySerializer: { array: { style: 'form', explode: false } },
});

export type Schema = components['schemas'];
export type Generation = Schema['GenerationResource'];
export type Output = Schema['OutputResource'];
export type Model = Schema['ModelResource'];
export type User = Schema['UserResource'];
export type Cost = Schema['Cost'];

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a success; a refusal is thrown as a `Problem`. Wrap every call: `await taken(api.GET(…))`. */
export async function taken<T>(call: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw refusal(response, error);
  return data as T;
}

/** The same for routes that answer `{ success, data, message }`, which are those below /api/auth and seed routes. */
export async function unwrapped<T>(call: Promise<Answered<{ data?: T }>>): Promise<T> {
  const body = await taken(call);
  return body.data as T;
}

function refusal(response: Response, error: unknown): Problem {
  return problemOf(response, error);
}
