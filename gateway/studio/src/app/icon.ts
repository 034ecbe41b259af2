const SIZE = 32;
const RADIUS = 13;
const ROUND = 2 * Math.PI * RADIUS;
const STEPS = 20;

let usual: string | null = null;
let shown = -1;

/** The tab's icon: a ring that closes while something runs, else the usual one. Between steps it stays as it is. */
export function showIcon(progress: number | null): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const step = progress === null ? -1 : Math.floor(progress * STEPS);
  if (!link || step === shown) return;
  usual ??= link.href;
  shown = step;
  link.href = step < 0 ? usual : `data:image/svg+xml,${encodeURIComponent(ring(step / STEPS))}`;
}

function ring(share: number): string {
  const circle = `cx="${SIZE / 2}" cy="${SIZE / 2}" r="${RADIUS}" fill="none" stroke-width="6"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}">
<circle ${circle} stroke="#9aa5ab"/>
<circle ${circle} stroke="#0e7c86" stroke-dasharray="${ROUND * Math.max(share, 0.04)} ${ROUND}" transform="rotate(-90 16 16)"/>
</svg>`;
}
