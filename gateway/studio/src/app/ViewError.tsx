import type { ErrorComponentProps } from '@tanstack/react-router';
import { ErrorCard } from '@/ui/ErrorCard';

/** A view that broke leaves the frame around it whole. */
export function ViewError({ error, reset }: ErrorComponentProps) {
  return <ErrorCard error={error} onRetry={reset} />;
}
