import { address } from './address';
import type { Schema } from './client';
import { Problem, problemOf } from './problem';
import { refresh, tokenHeader } from './session';

export type Upload = Schema['UploadResource'];

interface Options {
  /** 0 to 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** Sends a file; `fetch` does not tell how far it is, so this does not use it. Throws a `Problem`. */
export async function upload(file: File, options: Options): Promise<Upload> {
  const first = await send(file, options);
  const answer = first.status === 401 && (await refresh()) ? await send(file, options) : first;
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw problemOf(answer, body);
  return body as Upload;
}

function send(file: File, { onProgress, signal }: Options): Promise<Response> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', address('/api/v1/uploads:direct'));
    for (const [name, value] of tokenHeader('POST')) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () =>
      done(new Response(request.responseText, { status: request.status, headers: headersOf(request) }));
    request.onerror = () => failed(new TypeError('The upload broke off.'));
    request.onabort = () => failed(new Problem('CANCELED', 'The upload was canceled.', 0));
    signal.addEventListener('abort', () => request.abort());
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}

function headersOf(request: XMLHttpRequest): Headers {
  const lines = request.getAllResponseHeaders().trim().split(/\r?\n/);
  return new Headers(
    lines.filter((line) => line.includes(': ')).map((line) => line.split(': ', 2) as [string, string]),
  );
}
