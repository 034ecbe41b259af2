import type { InfiniteData, Query, QueryKey } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { queryClient } from '@/api/queries';
import type { Control } from '@/live/frame';
import { live, socket, useConnection } from '@/live/live';
import { whenSeen } from '@/live/soon';
import { ALL_PARTS, Refresher, reportsOf } from './parts';

const TOPIC = 'ops';

interface Said {
  parts?: string[];
  topics?: string[];
  topic?: string;
}

const refresher = new Refresher(refetch);
const watchers = new Set<() => void>();
let subscribed = false;
let unseen = new Set<string>();

/** Follows the installation while an operators' view is open. */
export function useOpsTopic(): void {
  useEffect(() => {
    const deaf = live.onControl(hear);
    const leave = socket.follow(TOPIC);
    return () => {
      leave();
      deaf();
      tell(false);
    };
  }, []);
}

/** Whether changes are told; if not, the views have to ask. */
export function useListening(): boolean {
  const connection = useConnection();
  const told = useSyncExternalStore(subscribe, () => subscribed);
  return told && connection === 'live';
}

function hear(message: Control): void {
  const { parts = [], topics = [], topic } = (message.data ?? {}) as Said;
  if (message.type === 'ops.changed') refreshWhenSeen(parts);
  if (message.type === 'error' && topic === TOPIC) tell(false);
  if (message.type === 'subscribed' && topics.includes(TOPIC)) {
    tell(true);
    refreshWhenSeen(ALL_PARTS);
  }
}

/** Nobody looks at a hidden page: what has changed meanwhile is asked for when it is seen. */
function refreshWhenSeen(parts: readonly string[]): void {
  for (const part of parts) unseen.add(part);
  whenSeen(refresh);
}

function refresh(): void {
  const parts = [...unseen];
  unseen = new Set();
  refresher.want(reportsOf(parts));
}

function refetch(queryKey: QueryKey): Promise<void> {
  return queryClient.invalidateQueries({ queryKey, predicate: standsStill }, { cancelRefetch: false });
}

/** Who has gone on to further pages does not want rows to move. */
function standsStill(query: Query): boolean {
  const data = query.state.data as Partial<InfiniteData<unknown>> | undefined;
  return !(Array.isArray(data?.pages) && data.pages.length > 1);
}

function tell(now: boolean): void {
  subscribed = now;
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
