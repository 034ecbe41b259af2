import type { JobAction } from '@/api/ops';

export interface BulkWords {
  title: string;
  verb: string;
  effect: string;
  nothing: string;
  done: string;
}

/** What each action says of itself. */
export const BULK: Readonly<Record<JobAction, BulkWords>> = {
  cancel: {
    title: 'Cancel jobs',
    verb: 'Cancel',
    effect: 'What queues ends at once and costs nothing; what runs is asked to stop. This cannot be undone.',
    nothing: 'None of them is unfinished, so there is nothing to cancel.',
    done: 'canceled',
  },
  retry: {
    title: 'Retry jobs',
    verb: 'Retry',
    effect: 'Each becomes a new job of its own account, on its plan and budget.',
    nothing: 'None of them failed, expired or was canceled without being tried again.',
    done: 'tried again',
  },
  delete: {
    title: 'Delete jobs',
    verb: 'Delete',
    effect:
      'Each goes into the trash of its own account, with what it made; the account can take it back for 30 days.',
    nothing: 'None of them has ended, so there is nothing to delete.',
    done: 'deleted',
  },
  run_now: {
    title: 'Run jobs now',
    verb: 'Run',
    effect: 'They go before all others, also while their queue is paused or drained.',
    nothing: 'None of them queues, so there is nothing to run now.',
    done: 'run now',
  },
};
