// Creates a short device name from a User-Agent header.

// The order matters: most browsers also contain Chrome or Safari, and most systems another system's name.
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
  // Programs send their name first, such as "curl/8.5.0".
  const browser = firstMatch(BROWSERS, userAgent) ?? userAgent.split(/[/ ]/)[0];
  return system ? `${browser} on ${system}` : browser || "Unknown device";
}

function firstMatch(names: [RegExp, string][], userAgent: string): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1];
}
