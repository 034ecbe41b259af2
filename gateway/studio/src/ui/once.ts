/** Makes it when it is first needed, and keeps it: a phone takes 20 ms for the first formatter of its browser. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
