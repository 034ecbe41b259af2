import '@/app/storage';
import './theme.css';
import './base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from '@/api/queries';
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
else render();

/** The page around has the token, so that comes before the first request. */
async function meetPage(): Promise<void> {
  const { connect } = await import('@/embedded/connect');
  await connect();
}

function render(): void {
  const place = document.getElementById('root');
  if (!place) return;
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
