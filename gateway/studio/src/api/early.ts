import { address } from './address';

const early = new Map<string, Promise<Response>>();

/** Asks for an answer before the application is there, which then takes it from here. */
export async function askEarly(path: string): Promise<Response> {
  const url = new URL(address(path), location.href).href;
  const asked = fetch(url);
  early.set(url, asked);
  return (await asked).clone();
}

/** What was asked for early, once: what is asked for again is asked for anew. */
export function takeEarly(request: Request): Promise<Response> | undefined {
  if (request.method !== 'GET') return undefined;
  const asked = early.get(request.url);
  early.delete(request.url);
  return asked;
}
