import './theme.css';
import './base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from '@/api/queries';
import { startMotion } from '@/app/motion';
import { router } from '@/app/router';
import { startTheme } from '@/app/theme';
import { watchTitle } from '@/app/title';
import { listen } from '@/keyboard/registry';

startTheme();
startMotion();
watchTitle();
listen();

const place = document.getElementById('root');
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
