/** Light or dark: as the system has it, unless the reader chose. The choice is all that is kept in this browser. */

export type Theme = "system" | "light" | "dark";

const STORED = "theme";

export function storedTheme(): Theme {
  try {
    const stored = window.localStorage.getItem(STORED);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system"; // Storage may be forbidden.
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "system") window.localStorage.removeItem(STORED);
    else window.localStorage.setItem(STORED, theme);
  } catch {
    // It holds until the page is left.
  }
}
