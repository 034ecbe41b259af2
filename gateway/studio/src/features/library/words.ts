import type { Asset } from '@/api/assets';
import type { Cost, Generation } from '@/api/client';
import { KINDS } from '@/features/create/kinds';
import { promptOf as saidIn } from '@/features/create/prompts';

/** What somebody asked for, in their own words; what it is, where there are none. */
export function promptOf(generation: Pick<Generation, 'input' | 'kind'>): string {
  return saidIn(generation) ?? nounOf(generation.kind);
}

const NOUNS: Record<string, string> = {
  image: 'Picture',
  audio: 'Speech',
  music: 'Music',
  video: 'Video',
  upscale: 'Upscaled picture',
  text: 'Text',
};

export function nounOf(kind: string): string {
  return NOUNS[kind] ?? kind;
}

export function nameOf(asset: Asset): string {
  return asset.prompt || asset.name || asset.text || nounOf(asset.kind);
}

export function iconOf(kind: string) {
  return (KINDS.find((one) => one.name === kind) ?? KINDS[0])?.icon;
}

/** What it cost, or may cost; nothing, where what was set aside was given back. Null when nobody knows. */
export function nanosOf(cost: Cost): number | null {
  if (cost.status === 'released') return cost.actual?.nanos ?? 0;
  return (cost.actual ?? cost.estimated)?.nanos ?? null;
}
