// Texts about photos, their sizes and their recipes.
import type { Facts, Recipe } from "@/api/types";

export const TEXTS = {
  title: "One photo in, every size out",
  chooseFiles: "Choose photos",
  noJobsYet: "Choose a photo. All its sizes appear here when they are ready.",
};

interface PresetText {
  name: string;
  explanation?: string;
}

const PRESETS: Record<string, PresetText> = {
  web: { name: "Web shop", explanation: "WebP 1600, 800 and 320 wide, and an AVIF of 1600." },
  social: { name: "Social", explanation: "Square, link and story crops that follow the subject." },
  print: { name: "Print", explanation: "A 300 dpi JPEG, long side 3600, colours untouched." },
};

// A preset that this frontend does not know is shown by its key.
export function describePreset(preset: string): PresetText {
  return PRESETS[preset] ?? { name: preset };
}

export function describeRecipe({ preset, enhance, watermark }: Recipe): string {
  return [describePreset(preset).name, enhance && "enhanced", watermark && `“${watermark}”`]
    .filter(Boolean)
    .join(", ");
}

// Empty until a worker has read the photo.
export function describeFacts({ width, height }: Facts): string {
  return typeof width === "number" && typeof height === "number" ? `${width} × ${height}` : "";
}

export function describeRefusal({ name, type }: File): string | null {
  if (!/^image\/hei[cf]/.test(type) && !/\.hei[cf]$/i.test(name)) return null;
  return "HEIC photos are not supported. Export the photo as JPEG. On an iPhone, choose Settings, Camera, Formats, Most Compatible.";
}
