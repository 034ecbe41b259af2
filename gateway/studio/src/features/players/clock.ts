/** A position in a sound or film, as players show it: 0:07, 3:41, 1:02:09. */
export function clock(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, n) => (n ? String(part).padStart(2, '0') : part)).join(':');
}
