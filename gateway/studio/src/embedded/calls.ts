import { fileAddress } from '@/api/address';
import { setBearer } from '@/api/bearer';
import { Problem, problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';
import { router } from '@/app/router';
import { type FrameCalls, KINDS } from '@/embed/protocol';
import { gallery, history } from './entries';
import { offer } from './filling';
import { keep } from './keeping';
import { run } from './running';

/** What the page around may ask for, and nothing else. */
export const calls: FrameCalls = {
  open(tab, view) {
    const panel = view === 'preview' ? undefined : view;
    void router.navigate({
      to: '/studio/create/$kind',
      params: { kind: KINDS[tab] },
      search: { panel } as never,
    });
  },
  fill: (tab, settings) => offer(KINDS[tab], settings),
  run,
  reveal(id) {
    void router.navigate({ to: '/studio/generations/$id', params: { id } });
  },
  async read(url) {
    const asked = new URL(fileAddress(url), location.href);
    if (asked.origin !== location.origin) {
      throw new Problem('INVALID_INPUT', 'That file is not of this studio.', 422);
    }
    const response = await sessionFetch(new Request(asked));
    if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
    return { blob: await response.blob(), name: nameOf(response, asked) };
  },
  keep,
  history,
  gallery,
  setToken: (token) => setBearer(token),
};

/** As the gateway names it, else the end of its address. */
export function nameOf(response: Response, url: URL): string {
  const said = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
  return said ?? url.pathname.split('/').pop() ?? 'file';
}
