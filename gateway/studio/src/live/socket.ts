import { socketAddress } from '@/api/address';
import { bearer } from '@/api/bearer';
import { refresh } from '@/api/session';
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
    this.connect();
  }

  close(): void {
    this.wanted = false;
    removeEventListener('online', this.connectNow);
    removeEventListener('offline', this.drop);
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

  private lost(code: number): void {
    this.quiet();
    this.listener.onConnection('offline');
    if (!this.wanted) return;
    const wait = waitMs(this.attempt++);
    this.retry = setTimeout(() => void this.again(code), wait);
  }

  private async again(code: number): Promise<void> {
    // A refused upgrade shows as 1006 and does not say why: the session may have run out.
    const suspect = code === UNAUTHENTICATED || this.attempt === 2;
    if (suspect) await refresh().catch(() => false);
    if (this.wanted && navigator.onLine) this.connect();
  }

  private readonly connectNow = (): void => {
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
