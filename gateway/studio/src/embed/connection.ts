import { Line, StudioError } from './line';
import { type Connect, type FrameCalls, type Hello, type HostCalls, isGreeting, VERSION } from './protocol';

const WITHIN_MS = 30_000;

const UNREACHED =
  'The studio did not answer. Is its gateway running, and is the origin of this page among its ALLOWED_ORIGINS?';

export interface Frame {
  element: HTMLIFrameElement;
  /** The studio's own origin: nobody else gets the port or the token. */
  origin: string;
  token: () => Promise<string | null>;
  calls: HostCalls;
  /** A frame that was loaded again says hello again, and gets a new line. */
  onAgain: (line: Line<FrameCalls>) => void;
}

/** The line to the studio, once it says hello; `signal` ends the listening. */
export function connect(frame: Frame, signal: AbortSignal): Promise<Line<FrameCalls>> {
  return new Promise((done, failed) => {
    let met = false;
    const late = setTimeout(() => failed(new StudioError(UNREACHED, 'UNAVAILABLE')), WITHIN_MS);
    const hear = async (event: MessageEvent) => {
      const ours = event.source === frame.element.contentWindow && event.origin === frame.origin;
      if (!ours || !isGreeting<Hello>(event.data, 'hello')) return;
      clearTimeout(late);
      const again = met;
      met = true;
      const line = await greet(frame);
      if (again) frame.onAgain(line);
      else done(line);
    };
    addEventListener('message', (event) => void hear(event), { signal });
    signal.addEventListener('abort', () => clearTimeout(late));
  });
}

async function greet({ element, origin, token, calls }: Frame): Promise<Line<FrameCalls>> {
  const { port1, port2 } = new MessageChannel();
  const line = new Line<FrameCalls>(port1, calls);
  const greeting: Connect = { penstock: 'connect', v: VERSION, token: await token().catch(() => null) };
  element.contentWindow?.postMessage(greeting, origin, [port2]);
  return line;
}
