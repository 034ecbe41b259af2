import { FRAME_NAME } from './protocol';

const STYLE = `
dialog {
  position: fixed; inset: 0; box-sizing: border-box; width: 98vw; height: 98vh; max-width: none; max-height: none;
  margin: auto; padding: 0; border: 1px solid rgb(127 127 127 / 35%); border-radius: 12px; overflow: hidden;
  background: #fff; color: #14181a; font: 15px/1.4 system-ui, sans-serif;
}
dialog[open] { display: flex; flex-direction: column; }
dialog::backdrop { background: rgb(0 0 0 / 55%); }
header { display: flex; align-items: center; justify-content: space-between; padding: 4px 8px 4px 16px; }
h2 { margin: 0; font-size: 16px; font-weight: 600; }
button {
  width: 40px; height: 40px; border: 0; border-radius: 8px; background: none; color: inherit;
  font: 22px/1 system-ui, sans-serif; cursor: pointer;
}
button:hover { background: rgb(127 127 127 / 18%); }
button:focus-visible { outline: 2px solid #0e7c86; outline-offset: -2px; }
iframe { flex: 1; width: 100%; border: 0; border-top: 1px solid rgb(127 127 127 / 25%); }
@media (prefers-color-scheme: dark) { dialog { background: #121517; color: #eef1f2; } }
`;

/** The window of the studio in a page of somebody else's: whatever that page's styles are, they end at its edge. */
export class Modal {
  readonly frame = document.createElement('iframe');
  private readonly dialog = document.createElement('dialog');
  private readonly place = document.createElement('creative-studio');
  private overflow = '';

  constructor(onClose: () => void) {
    const root = this.place.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.dialog.append(this.head(), this.frame);
    this.dialog.setAttribute('aria-modal', 'true');
    this.dialog.setAttribute('aria-labelledby', 'title');
    this.dialog.addEventListener('close', () => {
      document.documentElement.style.overflow = this.overflow;
      onClose();
    });
    this.frame.title = 'Creative Studio';
    this.frame.name = FRAME_NAME;
    this.frame.allow = 'microphone; clipboard-write; autoplay; fullscreen';
    root.append(this.dialog);
    document.body.append(this.place);
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  /** A native modal: the rest of the page cannot be reached, Escape closes it, and the focus goes back after. */
  show(): void {
    if (this.dialog.open) return;
    const page = document.documentElement.style;
    this.overflow = page.overflow;
    page.overflow = 'hidden';
    this.dialog.showModal();
    this.frame.focus();
  }

  hide(): void {
    this.dialog.close();
  }

  remove(): void {
    this.hide();
    this.place.remove();
  }

  private head(): HTMLElement {
    const head = document.createElement('header');
    const title = document.createElement('h2');
    title.id = 'title';
    title.textContent = '🎨 Creative Studio';
    const close = document.createElement('button');
    close.type = 'button';
    close.textContent = '×';
    close.setAttribute('aria-label', 'Close');
    close.addEventListener('click', () => this.hide());
    head.append(title, close);
    return head;
  }
}
