import { say } from './toasts';

/** Puts words on the clipboard and says so; where the page may not, it says the words. */
export async function copy(words: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(words);
    say(done, 'good');
  } catch {
    say(`The clipboard is not open to this page: ${words}`);
  }
}
