import type { Kind, Settings } from '@/embed/protocol';

/** Where a view leaves what the form of a kind begins with. */
const PREFILL = 'penstock:prefill';

/** What the page calls a setting, and what the form calls it. */
const OURS: Readonly<Record<string, string>> = {
  negativePrompt: 'negative_prompt',
  dimensions: 'size',
  quantity: 'count',
  duration: 'duration_s',
  imageUrl: 'image',
  faceRestore: 'face_restore',
};

/** Puts settings into the form of a kind. */
export function offer(_kind: Kind, settings: Settings): void {
  const { model, engine, ...rest } = settings;
  const input = Object.fromEntries(Object.entries(rest).map(([name, value]) => [OURS[name] ?? name, value]));
  const before = JSON.parse(sessionStorage.getItem(PREFILL) ?? '{}') as { input?: Settings };
  const chosen = model ?? engine;
  sessionStorage.setItem(
    PREFILL,
    JSON.stringify({ ...before, ...(chosen ? { model: chosen } : {}), input: { ...before.input, ...input } }),
  );
}
