/** Plays the film of a place, or pauses it; where there is none, nothing happens. */
export function toggleFilm(place: ParentNode | null): void {
  const film = place?.querySelector('video');
  if (film?.paused) void film.play().catch(stays);
  else film?.pause();
}

/** A film that cannot be loaded says so itself. */
function stays(): void {}
