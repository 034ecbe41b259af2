type Heard = (request: Request, response: Response) => void;

const listeners = new Set<Heard>();

/** Hears of every answer to a write that went well; the response is a copy. Returns what ends it. */
export function onWritten(listener: Heard): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tellWritten(request: Request, response: Response): Response {
  if (request.method !== 'GET' && response.ok) {
    for (const listener of listeners) listener(request, response.clone());
  }
  return response;
}
