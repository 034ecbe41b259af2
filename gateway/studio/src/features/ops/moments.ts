/** Choices of how long something rests. */
export interface Preset {
  label: string;
  minutes: number;
}

export const PRESETS: readonly Preset[] = [
  { label: '5 min', minutes: 5 },
  { label: '15 min', minutes: 15 },
  { label: '1 hour', minutes: 60 },
  { label: '8 hours', minutes: 480 },
];

const MINUTE_MS = 60_000;

export function after(minutes: number, now: number = Date.now()): Date {
  return new Date(now + minutes * MINUTE_MS);
}

/** What a `datetime-local` field shows for an instant: this place's clock, by the minute. */
export function toField(instant: Date): string {
  const local = new Date(instant.getTime() - instant.getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 16);
}

/** The instant that a `datetime-local` field means; null while it is empty or half written. */
export function fromField(text: string): string | null {
  const instant = new Date(text);
  return text === '' || Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}
