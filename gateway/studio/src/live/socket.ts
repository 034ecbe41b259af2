import { address, socketAddress } from '@/api/address';
import { bearer } from '@/api/bearer';
import { sessionFetch } from '@/api/session';
import { waitMs } from './backoff';
import type { Control, Frame } from './frame';

export type Connection = 'connecting' | 'live' | 'offline';

export interface Resume {
  since: Record<string, number>;
  changedAfter: string | null;
}

export interface Listener {
  onMessage(message: Frame | Control): void;
  onConnection(connection: Connection): void;
  /** What is known already, asked for at every (re)connection. */
  resume(): Resume;
}

const PING_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
const UNAUTHENTICATED = 4401;

/** The tab's one websocket: connects again by itself, and then asks for what it missed. */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pinger: ReturnType<typeof setInterval> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;
  private topics = new Set<string>();

  constructor(private readonly listener: Listener) {}

  open(): void {
    if (this.wanted) return;
    this.wanted = true;
    addEventListener('online', this.connectNow);
    addEventListener('offline', this.drop);
    document.addEventListener('visibilitychange', this.look);
    this.connect();
  }

  close(): void {
    this.wanted = false;
    removeEventListener('online', this.connectNow);
    removeEventListener('offline', this.drop);
    document.removeEventListener('visibilitychange', this.look);
    clearTimeout(this.retry);
    this.drop();
  }

  /** Also follow a topic, such as `project:<id>`; returns what ends it. */
  follow(topic: string): () => void {
    this.topics.add(topic);
    this.send({ op: 'subscribe', topics: [topic] });
    return () => {
      this.topics.delete(topic);
      this.send({ op: 'unsubscribe', topics: [topic] });
    };
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.listener.onConnection('connecting');
    const token = bearer();
    const socket = new WebSocket(socketAddress('/api/v1/ws'), token === null ? [] : ['bearer', token]);
    this.socket = socket;
    socket.onopen = () => this.begin();
    socket.onmessage = (event) => this.take(JSON.parse(String(event.data)));
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
  }

  private begin(): void {
    const { since, changedAfter } = this.listener.resume();
    this.send({
      op: 'subscribe',
      topics: ['generations', ...this.topics],
      since,
      ...(changedAfter && { changed_after: changedAfter }),
    });
    this.pinger = setInterval(() => this.ping(), PING_MS);
  }

  private take(message: Frame | Control): void {
    clearTimeout(this.silence);
    if (message.type === 'subscribed') {
      this.attempt = 0;
      this.listener.onConnection('live');
    }
    this.listener.onMessage(message);
  }

  private ping(): void {
    this.send({ op: 'ping' });
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.connectNow(), PONG_WITHIN_MS);
  }

  /** A machine that slept does not know yet that its line is dead. */
  private readonly look = (): void => {
    if (document.hidden) return;
    if (this.socket?.readyState === WebSocket.OPEN) this.ping();
    else if (this.socket?.readyState !== WebSocket.CONNECTING) this.connectNow();
  };

  private lost(code: number): void {
    this.quiet();
    this.listener.onConnection('offline');
    if (!this.wanted) return;
    const wait = waitMs(this.attempt++);
    this.retry = setTimeout(() => void this.again(code), wait);
  }

  private async again(code: number): Promise<void> {
    // A refused upgrade shows as 1006 and does not say why: the session may have run out, or ended for good.
    const lost = this.socket;
    const suspect = code === UNAUTHENTICATED || this.attempt === 2;
    if (suspect) await askWhoIsHere().catch(() => null);
    if (this.wanted && navigator.onLine && this.socket === lost) this.connect();
  }

  /** Without waiting for its turn. */
  readonly connectNow = (): void => {
    this.drop();
    this.attempt = 0;
    if (this.wanted) this.connect();
  };

  private readonly drop = (): void => {
    const socket = this.socket;
    this.socket = null;
    this.quiet();
    socket?.close();
    this.listener.onConnection('offline');
  };

  private quiet(): void {
    clearInterval(this.pinger);
    clearTimeout(this.silence);
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** `sessionFetch` renews the session, or tells everybody that it has ended. */
function askWhoIsHere(): Promise<Response> {
  return sessionFetch(new Request(new URL(address('/api/auth/me'), location.href)));
}
