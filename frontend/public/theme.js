// Applies the stored theme before the first paint, so that no page flashes in the wrong one.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; the theme of the system is then the right one.
}
