import type { Generation } from '@/api/client';
import { fetchGeneration, fetchGenerations } from '@/api/generations';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { isOver } from './jobs';
import type { LiveStore } from './store';

const TOGETHER_MS = 120;
const MOST_AT_ONCE = 100;

/**
 * Frames say that something changed, not all of what it is now: outputs, errors, the bill, who does it. That is
 * asked for once per generation, and for many in one request when many change together.
 */
export class Wholes {
  private wanted = new Set<string>();
  private due: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly store: LiveStore) {}

  want(id: string): void {
    this.wanted.add(id);
    this.due ??= setTimeout(() => this.fetch(), TOGETHER_MS);
  }

  private fetch(): void {
    this.due = null;
    const ids = [...this.wanted].filter((id) => this.lacks(id));
    this.wanted.clear();
    for (let start = 0; start < ids.length; start += MOST_AT_ONCE) {
      void this.fetchPage(ids.slice(start, start + MOST_AT_ONCE));
    }
  }

  /** An answer to something else may have brought it meanwhile. */
  private lacks(id: string): boolean {
    const job = this.store.snapshot().jobs.get(id);
    return !job?.resource || job.resource.seq < job.seq;
  }

  /** It ended while it was being asked for. */
  private isBehind(id: string): boolean {
    const job = this.store.snapshot().jobs.get(id);
    return job !== undefined && isOver(job) && this.lacks(id);
  }

  private async fetchPage(ids: readonly string[]): Promise<void> {
    try {
      const [only] = ids;
      const found =
        ids.length === 1 && only !== undefined ? [await fetchGeneration(only)] : await fetchGenerations(ids);
      this.take(found);
      for (const { id } of found) if (this.isBehind(id)) this.want(id);
    } catch {
      // The next look at them asks again.
      for (const id of ids) void queryClient.invalidateQueries({ queryKey: keys.generation(id) });
    }
  }

  take(found: readonly Generation[]): void {
    this.store.learn(...found);
    for (const one of found) queryClient.setQueryData(keys.generation(one.id), one);
  }
}
