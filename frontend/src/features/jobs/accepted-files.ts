// Which files the studio takes, checked here for a fast answer; the server has the last word.

export const ACCEPTED_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/tiff",
  "image/gif",
];
const MAX_BYTES = 50_000_000;

// Some systems give these files no type; the name is then all there is.
const TYPE_BY_EXTENSION: Record<string, string> = {
  avif: "image/avif",
  tif: "image/tiff",
  tiff: "image/tiff",
};

export function contentTypeOf(file: File): string {
  const extension = file.name.split(".").pop()?.toLowerCase() ?? "";
  return file.type || TYPE_BY_EXTENSION[extension] || "application/octet-stream";
}

export function refusalOf(file: File): string | null {
  if (!ACCEPTED_TYPES.includes(contentTypeOf(file))) {
    return "This is not a picture the studio can read. It takes JPEG, PNG, WebP, AVIF, TIFF and GIF.";
  }
  if (file.size > MAX_BYTES) return "This photo is larger than 50 MB.";
  if (file.size === 0) return "This file is empty.";
  return null;
}
