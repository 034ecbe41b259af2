import { QueryClient } from '@tanstack/react-query';
import { asProblem } from './problem';

const RETRIES = 2;

/** The cache of what the gateway said. Refusals are final; only what may pass by itself is asked again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => {
        const problem = asProblem(error);
        const passing = problem.code === 'OFFLINE' || problem.status >= 500;
        return passing && failures < RETRIES;
      },
    },
    mutations: { retry: false },
  },
});
