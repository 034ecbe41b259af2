const THEME = 'penstock-theme';
const CALM = 'penstock-calm';

export type ThemeChoice = 'system' | 'light' | 'dark';

export function keptTheme(): ThemeChoice {
  const kept = localStorage.getItem(THEME);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function keepTheme(choice: ThemeChoice): void {
  if (choice === 'system') localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, choice);
}

export function wearTheme(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && darkSystem().matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

export function darkSystem(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)');
}

export function isKeptCalm(): boolean {
  return localStorage.getItem(CALM) === 'yes';
}

export function keepCalm(calm: boolean): void {
  if (calm) localStorage.setItem(CALM, 'yes');
  else localStorage.removeItem(CALM);
}

export function wearCalm(calm: boolean): void {
  if (calm) document.documentElement.dataset.calm = '';
  else delete document.documentElement.dataset.calm;
}
