// The place photos are dropped on, or picked from with a click or a key.
import { Icon } from "@/components/icons";
import { ACCEPTED_TYPES } from "./accepted-files";
import { useIncomingFiles } from "./use-incoming-files";

// HEIC is left out on purpose: iPhones then hand over a JPEG, and no free decoder reads theirs.
const ACCEPT = ACCEPTED_TYPES.join();

export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { isDragging } = useIncomingFiles(onFiles);
  return (
    <label className={isDragging ? "drop-zone is-dragging" : "drop-zone"}>
      <input
        type="file"
        className="visually-hidden"
        multiple
        accept={ACCEPT}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // Otherwise picking the same file again would not be a change.
          event.target.value = "";
        }}
      />
      <Icon name="upload" />
      <strong>{isDragging ? "Let go to upload" : "Choose photos"}</strong>
      <span className="drop-zone-hint">or drop or paste them anywhere on this page</span>
      <small>JPEG, PNG, WebP, AVIF, TIFF or GIF, up to 50 MB each. They start at once.</small>
    </label>
  );
}
