import { CreativeStudio } from './studio';

declare global {
  interface Window {
    creativeStudio?: CreativeStudio;
  }
}

const script =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;

/** A page that loads the script twice keeps the studio that it has. */
window.creativeStudio ??= new CreativeStudio(new URL('./', script).href);
