import { setBearer } from '@/api/bearer';
import { Line } from '@/embed/line';
import { type Connect, type Hello, type HostCalls, isGreeting, VERSION } from '@/embed/protocol';
import { calls } from './calls';
import { leaveOnEscape } from './escape';
import { readFilesWithToken } from './files';
import { tellResults } from './results';

const WITHIN_MS = 5_000;

/**
 * Says hello to the page around, and waits for its answer: the token has to be there before the first request. A
 * page that does not answer has the studio all the same, with the session of this browser.
 */
export function connect(): Promise<void> {
  const trusted = embedders();
  return new Promise((done) => {
    const late = setTimeout(done, WITHIN_MS);
    function hear(event: MessageEvent): void {
      const known = event.source === window.parent && trusted.has(event.origin);
      const [port] = event.ports;
      if (!known || !port || !isGreeting<Connect>(event.data, 'connect')) return;
      removeEventListener('message', hear);
      clearTimeout(late);
      begin(port, event.data.token);
      done();
    }
    addEventListener('message', hear);
    const hello: Hello = { penstock: 'hello', v: VERSION };
    // Anyone may know that a studio is here; who answers is checked.
    window.parent.postMessage(hello, '*');
  });
}

function begin(port: MessagePort, token: string | null): void {
  const line = new Line<HostCalls>(port, calls);
  setBearer(token, () => line.ask('token'));
  readFilesWithToken();
  leaveOnEscape(() => void line.ask('leave'));
  tellResults((result) => void line.ask('made', result));
}

/** The origins that the gateway allows, which its policy also says to the browser; our own is one. */
function embedders(): ReadonlySet<string> {
  const named = document.querySelector<HTMLMetaElement>('meta[name=penstock-embedders]')?.content ?? '';
  return new Set([location.origin, ...named.split(' ').filter(Boolean)]);
}
