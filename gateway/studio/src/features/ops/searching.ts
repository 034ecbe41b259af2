/** The named texts of an address, trimmed; empty ones and what is no text are left out. */
export function readTexts<Name extends string>(
  raw: Readonly<Record<string, unknown>>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = raw[name];
    if (typeof value === 'string' && value.trim() !== '') found[name] = value.trim();
    else if (typeof value === 'number') found[name] = String(value);
  }
  return found;
}
