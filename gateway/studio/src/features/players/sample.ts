/** How long a recording is, and whether that is long enough. */

import { LOUDEST, type Peaks } from './peaks';

export type Limits = readonly [number, number];

const PARTS = 500;

/** Why a recording of so many seconds cannot be used; null when it can. */
export function tooShortOrLong(seconds: number, [least, most]: Limits): string | null {
  const is = `It is ${seconds.toFixed(1)} s long`;
  if (seconds < least) return `${is}; a sample needs ${least} s at least.`;
  if (seconds > most) return `${is}; a sample may be ${most} s at most.`;
  return null;
}

/** The seconds of a recording, decoded here, for recorders do not write them; null when it is no sound. */
export async function secondsOf(recording: Blob): Promise<number | null> {
  return (await decoded(recording))?.duration ?? null;
}

/** The waveform of a recording, as the gateway would measure it; null when it is no sound. */
export async function shapeOf(recording: Blob): Promise<Peaks | null> {
  const sound = await decoded(recording);
  if (!sound) return null;
  return { data: extremesOf(sound.getChannelData(0), PARTS), length: PARTS, duration_s: sound.duration };
}

async function decoded(recording: Blob): Promise<AudioBuffer | null> {
  const context = new OfflineAudioContext(1, 1, 44_100);
  try {
    return await context.decodeAudioData(await recording.arrayBuffer());
  } catch {
    return null;
  }
}

/** The least and the greatest sample of each of so many equal parts, in signed bytes. */
export function extremesOf(samples: Float32Array, parts: number): number[] {
  return Array.from({ length: parts }, (_, n) => {
    const part = samples.subarray(
      Math.floor((n * samples.length) / parts),
      Math.max(1, Math.floor(((n + 1) * samples.length) / parts)),
    );
    return [
      part.reduce((least, one) => Math.min(least, one), 0),
      part.reduce((most, one) => Math.max(most, one), 0),
    ];
  }).flatMap((pair) => pair.map((one) => Math.round(one * LOUDEST)));
}
