// Applies the stored theme before the first paint, so that no page flashes in the wrong theme.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The browser can block storage. The system theme then applies.
}
