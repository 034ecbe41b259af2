import type { QueryKey } from '@tanstack/react-query';
import { keys } from '@/api/keys';

/** The parts of the installation that the topic `ops` names, and the reports that show them. */
const REPORTS: Readonly<Record<string, readonly string[]>> = {
  queues: ['queues'],
  throughput: ['throughput'],
  workers: ['workers'],
  providers: ['providers'],
  jobs: ['jobs', 'job', 'failures'],
  audit: ['audit', 'jobs', 'failures'],
};

export const ALL_PARTS = Object.keys(REPORTS);

export function reportsOf(parts: readonly string[]): string[] {
  return [...new Set(parts.flatMap((part) => REPORTS[part] ?? []))];
}

type Refetch = (key: QueryKey) => Promise<unknown>;

/**
 * Asks for reports again when they have changed: each once at a time, and once more when it has changed meanwhile,
 * so that a slow answer is neither cut off nor the last one.
 */
export class Refresher {
  private readonly asking = new Set<string>();
  private readonly again = new Set<string>();

  constructor(private readonly refetch: Refetch) {}

  want(reports: readonly string[]): void {
    for (const report of reports) {
      if (this.asking.has(report)) this.again.add(report);
      else void this.ask(report);
    }
  }

  private async ask(report: string): Promise<void> {
    this.asking.add(report);
    do {
      this.again.delete(report);
      await this.refetch(keys.ops(report)).catch(() => null);
    } while (this.again.has(report));
    this.asking.delete(report);
  }
}
