/** What the gateway says when it refuses (RFC 9457), or what stands for it when it cannot be reached. */
export interface FieldError {
  field: string;
  message: string;
}

export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** Such as `BUDGET_EXCEEDED`; `OFFLINE` when there was no answer. */
    readonly code: string,
    message: string,
    readonly status: number,
    readonly requestId: string | null = null,
    /** The field at fault, dotted: `input.prompt`. */
    readonly field: string | null = null,
    readonly retryable: boolean = false,
    readonly retryAfterS: number | null = null,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  /** The message for a field of a form; of several wrong fields each has its own. */
  of(field: string): string | null {
    const errors = this.details.errors as FieldError[] | undefined;
    const found = errors?.find((error) => error.field === field);
    if (found) return found.message;
    return this.field === field ? this.message : null;
  }
}

export function problemOf(response: Response, body: unknown): Problem {
  const said = isRecord(body) ? body : {};
  const code = text(said.code) ?? text(said.error) ?? `HTTP_${response.status}`;
  const message = text(said.message) ?? text(said.detail) ?? `The gateway answered ${response.status}.`;
  return new Problem(
    code,
    message,
    response.status,
    text(said.request_id) ?? response.headers.get('X-Request-Id'),
    text(said.field),
    said.retryable === true,
    seconds(response.headers.get('Retry-After')),
    isRecord(said.details) ? said.details : {},
  );
}

/** Anything that was thrown, as a problem that can be shown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) {
    return new Problem(
      'OFFLINE',
      'The gateway cannot be reached. Check the connection.',
      0,
      null,
      null,
      true,
    );
  }
  return new Problem('UNEXPECTED', error instanceof Error ? error.message : String(error), 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function seconds(header: string | null): number | null {
  const value = Number(header);
  return header !== null && Number.isFinite(value) ? value : null;
}
