import '@/app/storage';
import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRouter, RouterProvider } from '@tanstack/react-router';
import { prerender } from 'react-dom/static';
import { queryClient } from '@/api/queries';
import { routeTree } from '@/app/routes';

export { PAGES } from './pages';

/** What the application shows first at an address, before the gateway has answered anything. */
export async function render(path: string): Promise<string> {
  const router = createRouter({ routeTree, history: createMemoryHistory({ initialEntries: [path] }) });
  await router.load();
  const problems: unknown[] = [];
  const { prelude } = await prerender(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
    { onError: (problem) => void problems.push(problem) },
  );
  if (problems.length > 0) throw problems[0];
  return new Response(prelude).text();
}
