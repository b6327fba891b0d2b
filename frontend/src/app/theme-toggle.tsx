// The button that switches the theme: auto, light, dark.
import { useState } from "react";
import { Icon } from "@/components/icons";
import { applyTheme, currentTheme, THEMES, type Theme } from "./theme";

const NAMES: Record<Theme, string> = { auto: "Auto", light: "Light", dark: "Dark" };

export function ThemeToggle() {
  const [theme, setTheme] = useState(currentTheme);

  function showNext() {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    applyTheme(next);
    setTheme(next);
  }

  return (
    <button type="button" className="button button-quiet" onClick={showNext}>
      <Icon name={theme} />
      <span className="visually-hidden">Theme: </span>
      <span className="theme-name">{NAMES[theme]}</span>
    </button>
  );
}
