/** How long a recording is, and whether that is long enough. */

export type Limits = readonly [number, number];

/** Why a recording of so many seconds cannot be used; null when it can. */
export function tooShortOrLong(seconds: number, [least, most]: Limits): string | null {
  const is = `It is ${seconds.toFixed(1)} s long`;
  if (seconds < least) return `${is}; a sample needs ${least} s at least.`;
  if (seconds > most) return `${is}; a sample may be ${most} s at most.`;
  return null;
}

/** The seconds of a recording, decoded here, for recorders do not write them; null when it is no sound. */
export async function secondsOf(recording: Blob): Promise<number | null> {
  const context = new OfflineAudioContext(1, 1, 44_100);
  try {
    return (await context.decodeAudioData(await recording.arrayBuffer())).duration;
  } catch {
    return null;
  }
}
