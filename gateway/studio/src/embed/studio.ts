import { connect } from './connection';
import { countOf, displayOf, type FieldLike, settingOf } from './fields';
import { type Line, StudioError } from './line';
import { Modal } from './modal';
import {
  type Entry,
  type FrameCalls,
  type HostCalls,
  KINDS,
  type Kind,
  type Result,
  type Settings,
  type Tab,
  type ViewName,
} from './protocol';

type Token = string | null | (() => string | null | Promise<string | null>);

export interface Configuration {
  /** A bearer token, or what gets a fresh one. It stays in memory. */
  token?: Token;
  /** Where the studio is, when it is not beside this script: `https://media.example/studio/`. */
  base?: string;
}

type Settled = Record<'image' | 'audio' | 'music' | 'video', Settings>;

/** `window.creativeStudio`: the studio in a window of the page that loads this script. */
export class CreativeStudio {
  currentTab: Tab = 'images';
  generationHistory: (Entry | Result)[] = [];
  isGenerating = false;
  settings: Settled = {
    image: {
      model: 'flux-2',
      style: 'realistic',
      dimensions: '1024x1024',
      quantity: 1,
      steps: 20,
      guidance: 7.5,
    },
    audio: { engine: 'coqui', language: 'en', speed: 1 },
    music: { duration: 30, tempo: 120 },
    video: {},
  };

  private token: Token = null;
  private running = 0;
  private modal: Modal | null = null;
  private line: Promise<Line<FrameCalls>> | null = null;
  private ending: AbortController | null = null;

  constructor(private base: string) {}

  /** Before the first `show`. A new token also reaches a studio that is open. */
  configure({ token, base }: Configuration): void {
    if (base !== undefined && base !== this.base) {
      this.forget();
      this.base = new URL(base.endsWith('/') ? base : `${base}/`, location.href).href;
    }
    if (token === undefined) return;
    this.token = token;
    void this.line?.then(async (line) => line.ask('setToken', await this.freshToken())).catch(() => {});
  }

  async show(): Promise<void> {
    const line = this.reach();
    this.modal?.show();
    tell('show');
    await line;
  }

  hide(): void {
    if (this.modal?.isOpen) this.modal.hide();
  }

  createImagePanel = () => this.switchTab('images');
  createAudioPanel = () => this.switchTab('audio');
  createMusicPanel = () => this.switchTab('music');
  createVideoPanel = () => this.switchTab('video');

  async switchTab(tab: Tab): Promise<void> {
    if (!Object.hasOwn(KINDS, tab)) throw new StudioError(`There is no tab ${tab}.`, 'INVALID_INPUT');
    this.currentTab = tab;
    await (await this.reach()).ask('open', tab, 'preview');
  }

  async switchView(view: ViewName): Promise<void> {
    if (!['preview', 'gallery', 'history'].includes(view)) {
      throw new StudioError(`There is no view ${view}.`, 'INVALID_INPUT');
    }
    await (await this.reach()).ask('open', this.currentTab, view);
  }

  /** Takes the value of a slider of the page's, shows it beside it, and puts it into the form. */
  updateRangeValue(input: FieldLike): number {
    const value = Number(input.value);
    const display = displayOf(input);
    if (display) display.textContent = input.value;
    this.take(settingOf(input), value);
    return value;
  }

  /** The same for a text; shows how long it is. */
  updateCharCount(textarea: FieldLike): number {
    const display = displayOf(textarea);
    if (display) display.textContent = countOf(textarea);
    this.take(settingOf(textarea) ?? 'prompt', textarea.value);
    return [...textarea.value].length;
  }

  generateImage = (settings: Settings = {}) => this.runGeneration('image', settings);
  generateAudio = (settings: Settings = {}) => this.runGeneration('audio', settings);
  generateMusic = (settings: Settings = {}) => this.runGeneration('music', settings);

  /** Resolves when it is made. Refusals and failures reject with a `code` and a message for people. */
  async runGeneration(type: Kind, settings: Settings = {}): Promise<Result> {
    const line = await this.reach();
    this.running += 1;
    this.isGenerating = true;
    try {
      const given = { ...this.settings[type as keyof Settled], ...settings };
      const result = await line.ask('run', type, given);
      this.receive(result);
      return result;
    } finally {
      this.running -= 1;
      this.isGenerating = this.running > 0;
    }
  }

  upscaleImage(url: string, settings: Settings = {}): Promise<Result> {
    return this.runGeneration('upscale', { imageUrl: url, ...settings });
  }

  /** Shows a result in the window. */
  async displayResult(_type: string, result: { id: string }): Promise<void> {
    const line = await this.reach();
    this.modal?.show();
    await line.ask('reveal', result.id);
  }

  async downloadResult(url: string): Promise<void> {
    const { blob, name } = await (await this.reach()).ask('read', url);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  copyToClipboard(url: string): Promise<void> {
    return navigator.clipboard.writeText(new URL(url, this.base).href);
  }

  /** What the studio made is in its history already; a file from elsewhere becomes part of the library. */
  async saveToHistory(generation: { id?: string; url: string; name?: string }): Promise<void> {
    let kept = generation as Entry | Result;
    if (!generation.id) {
      const answer = await fetch(generation.url);
      if (!answer.ok) throw new StudioError(`${generation.url} answered ${answer.status}.`, 'INVALID_INPUT');
      const name =
        generation.name ?? (new URL(generation.url, location.href).pathname.split('/').pop() || 'file');
      kept = await (await this.reach()).ask('keep', { blob: await answer.blob(), name });
    }
    this.generationHistory = [kept, ...this.generationHistory.filter((one) => one.id !== kept.id)];
  }

  async loadHistory(): Promise<Entry[]> {
    const history = await (await this.reach()).ask('history');
    this.generationHistory = history;
    return history;
  }

  /** Shows the gallery, and gives its newest entries. */
  async loadGallery(): Promise<Entry[]> {
    await this.switchView('gallery');
    return (await this.reach()).ask('gallery');
  }

  /** The line to the frame, which is made when it is first needed. */
  private reach(): Promise<Line<FrameCalls>> {
    if (this.line === null) {
      this.modal = new Modal(() => tell('hide'));
      const { frame } = this.modal;
      frame.src = new URL(`create/${KINDS[this.currentTab]}?embed=1`, this.base).href;
      this.ending = new AbortController();
      this.line = connect(
        {
          element: frame,
          origin: new URL(this.base).origin,
          token: () => this.freshToken(),
          calls: this.calls(),
          onAgain: (line) => {
            this.line = Promise.resolve(line);
          },
        },
        this.ending.signal,
      );
      this.line.catch(() => this.forget());
    }
    return this.line;
  }

  private calls(): HostCalls {
    return {
      token: () => this.freshToken(),
      made: (result) => this.receive(result),
      moved: (tab) => {
        this.currentTab = tab;
      },
      leave: () => this.hide(),
    };
  }

  private receive(result: Result): void {
    this.generationHistory = [result, ...this.generationHistory];
    tell('result', result);
  }

  private async freshToken(): Promise<string | null> {
    return typeof this.token === 'function' ? this.token() : this.token;
  }

  private take(setting: string | null, value: unknown): void {
    if (setting === null) return;
    const kind = KINDS[this.currentTab];
    if (kind in this.settings) this.settings[kind as keyof Settled][setting] = value;
    void this.line?.then((line) => line.ask('fill', this.currentTab, { [setting]: value })).catch(() => {});
  }

  private forget(): void {
    void this.line?.then((line) => line.close()).catch(() => {});
    this.ending?.abort();
    this.modal?.remove();
    this.modal = null;
    this.line = null;
  }
}

function tell(what: 'show' | 'hide' | 'result', detail?: Result): void {
  dispatchEvent(new CustomEvent(`creativestudio:${what}`, { detail }));
}
