const LONGEST = 60;

/** Tags as they were typed, in the way they are kept: lower case, each once. */
export function tagsOf(typed: string): string[] {
  const words = typed.split(',').map((word) => word.trim().toLowerCase().slice(0, LONGEST));
  return [...new Set(words.filter(Boolean))];
}
