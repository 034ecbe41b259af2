import '@/app/storage';
import './theme.css';
import './base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, startTransition, useLayoutEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from '@/api/queries';
import { arrive } from '@/app/arrival';
import { embedded } from '@/app/embedding';
import { startMotion } from '@/app/motion';
import { router } from '@/app/router';
import { startTheme } from '@/app/theme';
import { watchTitle } from '@/app/title';
import { listen } from '@/keyboard/registry';
import { startWorker } from '@/offline/register';

startTheme();
startMotion();
watchTitle();
listen();
startWorker();
if (embedded) void meetPage().finally(render);
else void render();

/** The page around has the token, so that comes before the first request. */
async function meetPage(): Promise<void> {
  const { connect } = await import('@/embedded/connect');
  await connect();
}

/** Takes the place of what was rendered ahead, in one go and without holding up what the browser has to do. */
async function render(): Promise<void> {
  const place = document.getElementById('root');
  if (!place) return;
  await arrive(router);
  const root = createRoot(place);
  startTransition(() =>
    root.render(
      <StrictMode>
        <Awake place={place} />
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </StrictMode>,
    ),
  );
}

/** Until the moment it is replaced, nobody can type into what was rendered ahead. */
function Awake({ place }: { place: HTMLElement }) {
  useLayoutEffect(() => {
    place.inert = false;
    place.removeAttribute('aria-hidden');
  }, [place]);
  return null;
}
