const WORDS: Readonly<Record<string, readonly string[]>> = {
  'music.genre': ['ambient', 'classical', 'jazz', 'lo-fi', 'electronic', 'pop', 'rock', 'folk', 'cinematic'],
  'music.mood': ['calm', 'happy', 'energetic', 'sad', 'mysterious', 'epic', 'romantic', 'dark'],
};

/** Words that people often want where a model takes any. */
export function suggestionsFor(kind: string, name: string): readonly string[] {
  return WORDS[`${kind}.${name}`] ?? [];
}
