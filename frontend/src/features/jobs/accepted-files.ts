// Checks files before the upload, for fast feedback. The server checks them again.
import type { Config } from "@/api/types";
import { describeRefusal } from "./recipe";

type UploadLimits = Config["uploads"];

// For the file picker. Some systems recognise a type by its extension only.
export function acceptAttribute({ accepted_types }: UploadLimits): string {
  return accepted_types.flatMap((type) => [type.content_type, ...type.extensions]).join();
}

export function describeLimits(limits: UploadLimits): string {
  return `${listNames(limits)}, up to ${describeMaximum(limits)} each.`;
}

// Some systems set no type or a non-standard type. The extension is then used.
export function contentTypeOf(file: File, { accepted_types }: UploadLimits): string | undefined {
  const name = file.name.toLowerCase();
  const accepted =
    accepted_types.find(({ content_type }) => content_type === file.type) ??
    accepted_types.find(({ extensions }) => extensions.some((it) => name.endsWith(it)));
  return accepted?.content_type;
}

// The reason why a file is not accepted, or null.
export function refusalOf(file: File, limits: UploadLimits): string | null {
  if (!contentTypeOf(file, limits)) {
    return (
      describeRefusal(file) ?? `Files of this type are not accepted. Choose ${listNames(limits)}.`
    );
  }
  if (file.size > limits.max_bytes) return `This file is larger than ${describeMaximum(limits)}.`;
  if (file.size === 0) return "This file is empty.";
  return null;
}

const alternatives = new Intl.ListFormat("en-GB", { type: "disjunction" });

function listNames({ accepted_types }: UploadLimits): string {
  return alternatives.format(accepted_types.map(({ name }) => name));
}

function describeMaximum({ max_bytes }: UploadLimits): string {
  return `${Number((max_bytes / 1_000_000).toFixed(1))} MB`;
}
