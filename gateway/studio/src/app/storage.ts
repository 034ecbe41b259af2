/**
 * A browser that keeps nothing for frames of other sites refuses even the look at its storage. What reads and
 * writes it then gets one that lasts as long as the page; so does the build, which has none. Imported before everything that does.
 */
for (const name of ['localStorage', 'sessionStorage'] as const) {
  try {
    void globalThis[name].length;
  } catch {
    Object.defineProperty(globalThis, name, { value: inMemory() });
  }
}

function inMemory(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, String(value)),
    removeItem: (name) => void kept.delete(name),
    clear: () => kept.clear(),
  };
}
