import type { Generation } from '@/api/client';
import { type Control, type Frame, isAboutAccount, isAboutGeneration, isControl, isPassing } from './frame';
import { heardAll, isOver, type Job, type Jobs, jobOf, NO_JOBS } from './jobs';
import type { Connection, Listener, Resume } from './socket';
import { soon } from './soon';

const REMEMBERED_ENDED = 200;
const CLOCK_SKEW_MS = 10_000;

export interface State {
  jobs: Jobs;
  connection: Connection;
}

type OnFrame = (frame: Frame, job: Job) => void;
type OnAccount = (frame: Frame) => void;
type OnControl = (message: Control) => void;

/** What this tab has heard, for components (`useSyncExternalStore`) and for the query cache. */
export class LiveStore implements Listener {
  private state: State = { jobs: NO_JOBS, connection: 'connecting' };
  private readonly watchers = new Set<() => void>();
  private readonly frameListeners = new Set<OnFrame>();
  private readonly accountListeners = new Set<OnAccount>();
  private readonly controlListeners = new Set<OnControl>();
  private lastTs: string | null = null;
  private inbox: Frame[] = [];

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly snapshot = (): State => this.state;

  onFrame(listener: OnFrame): () => void {
    this.frameListeners.add(listener);
    return () => this.frameListeners.delete(listener);
  }

  /** News of the account, such as `budget.alert`. */
  onAccountEvent(listener: OnAccount): () => void {
    this.accountListeners.add(listener);
    return () => this.accountListeners.delete(listener);
  }

  /** What the connection says of itself and of the installation: `subscribed`, `error`, `ops.changed`. */
  onControl(listener: OnControl): () => void {
    this.controlListeners.add(listener);
    return () => this.controlListeners.delete(listener);
  }

  /** Frames come by the hundred a second: they are taken in together, once per picture that the screen shows. */
  onMessage(message: Frame | Control): void {
    this.lastTs = message.ts;
    if (isAboutAccount(message)) {
      for (const listener of this.accountListeners) listener(message);
    }
    if (isControl(message)) {
      for (const listener of this.controlListeners) listener(message);
    }
    if (!isAboutGeneration(message)) return;
    this.inbox.push(message);
    if (this.inbox.length === 1) soon(this.takeIn);
  }

  private readonly takeIn = (): void => {
    const frames = this.inbox;
    if (frames.length === 0) return;
    this.inbox = [];
    const news: [Frame, Job][] = [];
    const last = new Map<string, Frame>();
    const jobs = heardAll(this.state.jobs, frames, Date.now(), (frame, job) => {
      news.push([frame, job]);
      last.set(frame.id, frame);
    });
    if (jobs === this.state.jobs) return;
    this.set({ jobs: trimmed(jobs) });
    for (const [frame, job] of news) {
      // Of progress and text only the last counts; of changes each.
      if (isPassing(frame) && last.get(frame.id) !== frame) continue;
      for (const listener of this.frameListeners) listener(frame, job);
    }
  };

  onConnection(connection: Connection): void {
    if (connection !== this.state.connection) this.set({ connection });
  }

  /** Resources that came with an answer, which may be ahead of the frames, or behind them. */
  learn(...resources: Generation[]): void {
    this.takeIn();
    const now = Date.now();
    const jobs = new Map(this.state.jobs);
    for (const resource of resources) {
      const known = jobs.get(resource.id);
      if (!known || known.seq <= resource.seq) jobs.set(resource.id, jobOf(resource, now, known));
      else if (isNewer(resource, known)) jobs.set(resource.id, { ...known, resource });
    }
    this.set({ jobs: trimmed(jobs) });
  }

  /** A job that is being sent off, until its answer comes; returns what takes it back. */
  expect(resource: Generation): () => void {
    this.set({ jobs: new Map(this.state.jobs).set(resource.id, jobOf(resource, Date.now())) });
    return () => {
      const jobs = new Map(this.state.jobs);
      if (jobs.delete(resource.id)) this.set({ jobs });
    };
  }

  forget(): void {
    this.lastTs = null;
    this.inbox = [];
    this.set({ jobs: NO_JOBS });
  }

  resume(): Resume {
    this.takeIn();
    const since: Record<string, number> = {};
    for (const job of this.state.jobs.values()) {
      if (!isOver(job) && job.seq >= 0 && job.resource) since[job.id] = job.seq;
    }
    const changedAfter = this.lastTs && new Date(Date.parse(this.lastTs) - CLOCK_SKEW_MS).toISOString();
    return { since, changedAfter };
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const watcher of this.watchers) watcher();
  }
}

/** An answer that frames have overtaken still says what was asked for, and by whom it is made. */
function isNewer(resource: Generation, known: Job): boolean {
  return known.resource === null || known.resource.seq < resource.seq;
}

function trimmed(jobs: Jobs): Jobs {
  if (jobs.size <= REMEMBERED_ENDED) return jobs;
  const ended = [...jobs.values()].filter(isOver).sort((a, b) => a.heardAt - b.heardAt);
  if (ended.length <= REMEMBERED_ENDED) return jobs;
  const kept = new Map(jobs);
  for (const job of ended.slice(0, ended.length - REMEMBERED_ENDED)) kept.delete(job.id);
  return kept;
}
