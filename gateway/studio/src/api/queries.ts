import { QueryClient } from '@tanstack/react-query';
import { asProblem } from './problem';

const RETRIES = 2;

/** The cache of what the gateway said. Refusals are final; only what may pass by itself is asked again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // Without a network the service worker may have the answer.
      networkMode: 'offlineFirst',
      retry: (failures, error) => {
        const problem = asProblem(error);
        const passing = problem.code === 'OFFLINE' || problem.status >= 500;
        return passing && failures < RETRIES;
      },
    },
    // Nothing is kept to be sent later: whoever pressed a button hears now that it did not work.
    mutations: { retry: false, networkMode: 'always' },
  },
});
