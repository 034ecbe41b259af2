/** A state as people read it: `canceled` is Cancelled. */
export function stateWord(state: string): string {
  const words = state === 'canceled' ? 'cancelled' : state.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
