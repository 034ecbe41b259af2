import type { AnyRouter } from '@tanstack/react-router';

interface Arrived {
  params: Record<string, string | undefined>;
  search: object;
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /** Asks for what the view shows at once, for whoever arrives at it. */
    ask?: (arrived: Arrived) => Promise<unknown>;
  }
}

/** Beyond this the view comes without the answers, as it does for somebody who comes from another. */
const PATIENCE_MS = 300;

/** Gets the view and its first answers, which a page rendered ahead has asked for already: so it is drawn once. */
export async function arrive(router: AnyRouter): Promise<void> {
  await router.load();
  const asked = router.state.matches.map((match) => match.staticData.ask?.(match as Arrived));
  const late = new Promise((done) => setTimeout(done, PATIENCE_MS));
  await Promise.race([Promise.all(asked), late]);
}
