// Takes files that are dropped or pasted anywhere on the page.
import { useEffect, useRef, useState } from "react";

export function useIncomingFiles(onFiles: (files: File[]) => void): { isDragging: boolean } {
  const [isDragging, setDragging] = useState(false);
  const receive = useRef(onFiles);

  useEffect(() => {
    receive.current = onFiles;
  }, [onFiles]);

  useEffect(() => {
    const listening = new AbortController();
    const on = <K extends keyof WindowEventMap>(
      name: K,
      handle: (event: WindowEventMap[K]) => void,
    ) => window.addEventListener(name, handle, { signal: listening.signal });

    on("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      // Without this the browser would leave the page and open the file.
      event.preventDefault();
      setDragging(true);
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) setDragging(false);
    });
    on("drop", (event) => {
      setDragging(false);
      take(event, event.dataTransfer, receive.current);
    });
    on("paste", (event) => take(event, event.clipboardData, receive.current));
    return () => listening.abort();
  }, []);

  return { isDragging };
}

function take(event: Event, data: DataTransfer | null, onFiles: (files: File[]) => void) {
  const files = [...(data?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  onFiles(files);
}
