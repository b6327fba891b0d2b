// The area where users drop or choose files.
import { Icon } from "@/components/icons";
import { useConfig } from "@/config/use-config";
import { acceptAttribute, describeLimits } from "./accepted-files";
import { TEXTS } from "./recipe";
import { useIncomingFiles } from "./use-incoming-files";

export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const limits = useConfig().uploads;
  const { isDragging } = useIncomingFiles(onFiles);
  return (
    <label className={isDragging ? "drop-zone is-dragging" : "drop-zone"}>
      <input
        type="file"
        className="visually-hidden"
        multiple
        accept={acceptAttribute(limits)}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // Without this, choosing the same file again would not fire a change event.
          event.target.value = "";
        }}
      />
      <Icon name="upload" />
      <strong>{isDragging ? "Drop to upload" : TEXTS.chooseFiles}</strong>
      <span className="drop-zone-hint">or drop or paste them anywhere on this page</span>
      <small>{describeLimits(limits)} Uploads start at once.</small>
    </label>
  );
}
