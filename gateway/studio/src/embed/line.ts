// biome-ignore lint/suspicious/noExplicitAny: any function will do; each side's calls are typed by its interface
type Calls = Record<string, (...args: any[]) => unknown>;

interface Ask {
  ask: string;
  id: number;
  args: unknown[];
}

interface Answer {
  id: number;
  value?: unknown;
  error?: { message: string; code: string };
}

/** A refusal from the other side, or of this one's own. `code` is the API's, such as `BUDGET_EXCEEDED`. */
export class StudioError extends Error {
  override readonly name = 'CreativeStudioError';

  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** Calls in both directions over one port: `ours` is what the other side may call, and nothing else. */
export class Line<Theirs extends Calls> {
  private last = 0;
  private readonly waiting = new Map<
    number,
    { done: (value: never) => void; failed: (error: Error) => void }
  >();

  constructor(
    private readonly port: MessagePort,
    private readonly ours: Calls,
  ) {
    port.onmessage = (event: MessageEvent) => this.hear(event.data);
  }

  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    const id = ++this.last;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed });
      this.port.postMessage({ ask: name, id, args } satisfies Ask);
    });
  }

  close(): void {
    this.port.close();
    for (const { failed } of this.waiting.values()) {
      failed(new StudioError('The studio was closed.', 'CLOSED'));
    }
    this.waiting.clear();
  }

  private hear(message: Ask | Answer): void {
    if ('ask' in message) void this.answer(message);
    else this.settle(message);
  }

  private async answer({ ask, id, args }: Ask): Promise<void> {
    try {
      const call = Object.hasOwn(this.ours, ask) ? this.ours[ask] : undefined;
      if (!call) throw new StudioError(`There is no ${ask}.`, 'NOT_FOUND');
      this.port.postMessage({ id, value: await call(...args) } satisfies Answer);
    } catch (error) {
      this.port.postMessage({ id, error: wordsOf(error) } satisfies Answer);
    }
  }

  private settle({ id, value, error }: Answer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.failed(new StudioError(error.message, error.code));
    else waiting?.done(value as never);
  }
}

function wordsOf(error: unknown): { message: string; code: string } {
  const code = (error as { code?: unknown } | null)?.code;
  return {
    message: error instanceof Error ? error.message : String(error),
    code: typeof code === 'string' ? code : 'UNEXPECTED',
  };
}
