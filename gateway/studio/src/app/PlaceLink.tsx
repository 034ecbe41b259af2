import { Link, useLocation } from '@tanstack/react-router';
import type { Place } from './places';

/** A link to a place; it is marked wherever one is below it. */
export function PlaceLink({ place, className }: { place: Place; className?: string }) {
  const { pathname } = useLocation();
  const here = pathname === place.under || pathname.startsWith(`${place.under}/`);
  const Icon = place.icon;
  return (
    <Link
      {...(place.link as { to: '/studio/gallery' })}
      className={className}
      aria-current={here ? 'page' : undefined}
      activeProps={{}}
    >
      <Icon aria-hidden="true" />
      {place.label}
    </Link>
  );
}
