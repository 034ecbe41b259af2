import { createRouter } from '@tanstack/react-router';
import { ROOT } from '@/api/address';
import { queryClient } from '@/api/queries';
import { onSessionEnd } from '@/api/session';
import { live, socket } from '@/live/live';
import { routeTree } from './routes';
import { ViewError } from './ViewError';

const LOGIN = '/studio/login';
const SIGN_IN_PAGES = [LOGIN, '/studio/signup'];

export const router = createRouter({
  routeTree,
  basepath: ROOT || '/',
  defaultPreload: 'intent',
  defaultErrorComponent: ViewError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

onSessionEnd(() => {
  const { pathname, href } = router.state.location;
  socket.close();
  live.forget();
  queryClient.clear();
  if (SIGN_IN_PAGES.includes(pathname)) return;
  void router.navigate({ to: LOGIN, search: { next: href, ended: true } });
});
