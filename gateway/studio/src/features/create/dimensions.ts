/** Width and height of `1024x768` or `16:9`; null when it is neither. */
export function sides(words: string): [number, number] | null {
  const found = /^(\d+)[x:](\d+)$/.exec(words);
  return found ? [Number(found[1]), Number(found[2])] : null;
}

/** A frame of a shape within a square, for its little picture. */
export function frame(words: string, side: number): { width: number; height: number } {
  const [width, height] = sides(words) ?? [1, 1];
  const share = side / Math.max(width, height);
  return { width: Math.max(6, width * share), height: Math.max(6, height * share) };
}

/** Those that people often want where a model takes any. */
export const USUAL_SIZES = [
  '1024x1024',
  '1024x768',
  '768x1024',
  '1280x720',
  '1920x1080',
  '1344x768',
  '768x1344',
  '1536x1024',
  '1024x1536',
];
