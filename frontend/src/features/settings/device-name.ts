// Makes a short name for a device from its browser's User-Agent header.

// In this order: most browsers also claim to be Chrome or Safari, and most systems to be like another.
const BROWSERS: [RegExp, string][] = [
  [/Edg/, "Edge"],
  [/OPR|Opera/, "Opera"],
  [/SamsungBrowser/, "Samsung Internet"],
  [/Firefox|FxiOS/, "Firefox"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Mac/, "Mac"],
  [/Linux/, "Linux"],
];

export function nameDevice(userAgent: string | null): string {
  if (!userAgent) return "Unknown device";
  const system = firstMatch(SYSTEMS, userAgent);
  // Programs say who they are in the first word, such as "curl/8.5.0".
  const browser = firstMatch(BROWSERS, userAgent) ?? userAgent.split(/[/ ]/)[0];
  return system ? `${browser} on ${system}` : browser || "Unknown device";
}

function firstMatch(names: [RegExp, string][], userAgent: string): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1];
}
