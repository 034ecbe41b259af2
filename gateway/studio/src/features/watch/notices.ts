import { useSyncExternalStore } from 'react';
import { fileAddress } from '@/api/address';
import { onEnds } from '@/live/ends';
import type { Job } from '@/live/jobs';
import { chime } from './chime';
import { doing } from './stages';
import { titleOf } from './titles';

/** How it is told that something is finished; nothing, unless somebody asked for it. */
export interface Notices {
  sound: boolean;
  notification: boolean;
}

const KEPT = 'penstock-notices';
const NONE: Notices = { sound: false, notification: false };
const watchers = new Set<() => void>();
let notices = read();

function read(): Notices {
  try {
    return { ...NONE, ...JSON.parse(localStorage.getItem(KEPT) ?? '{}') };
  } catch {
    return NONE;
  }
}

export function useNotices(): Notices {
  return useSyncExternalStore(subscribe, () => notices);
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function changeNotices(change: Partial<Notices>): void {
  notices = { ...notices, ...change };
  localStorage.setItem(KEPT, JSON.stringify(notices));
  for (const watcher of watchers) watcher();
}

/** From now on; returns what ends it. Of several open windows one tells. */
export function tellOfEnds(): () => void {
  return onEnds((jobs) => {
    const told = jobs.filter((job) => job.status !== 'canceled');
    const [first] = told;
    if (!first || (!notices.sound && !notices.notification)) return;
    void alone(`penstock-told-${first.id}`, () => tell(told));
  });
}

const SILENCE_MS = 3_000;

/** Runs it unless another window has just done so. */
async function alone(name: string, run: () => void): Promise<void> {
  if (!('locks' in navigator)) return run();
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    run();
    await new Promise((done) => setTimeout(done, SILENCE_MS));
  });
}

function tell(jobs: readonly Job[]): void {
  if (notices.sound) chime();
  const looked = document.visibilityState === 'visible' && document.hasFocus();
  if (!notices.notification || looked || Notification.permission !== 'granted') return;
  const [first] = jobs;
  if (!first) return;
  const picture = first.resource?.outputs[0]?.thumbnail_url;
  const one = jobs.length === 1;
  show(one ? doing(first) : `${jobs.length} jobs have ended`, {
    body: one ? titleOf(first) : jobs.map(titleOf).join('\n').slice(0, 200),
    tag: first.id,
    ...(picture && { icon: fileAddress(picture) }),
  });
}

function show(title: string, options: NotificationOptions): void {
  try {
    const notification = new Notification(title, options);
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  } catch {
    // A phone's browser lets only the service worker show one, which brings the page to the front, too.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, options));
  }
}
