// Accepts files that are dropped or pasted anywhere on the page.
import { useEffect, useRef, useState } from "react";

export function useIncomingFiles(onFiles: (files: File[]) => void): { isDragging: boolean } {
  const [isDragging, setDragging] = useState(false);
  const receive = useRef(onFiles);

  useEffect(() => {
    receive.current = onFiles;
  }, [onFiles]);

  useEffect(() => {
    const listeners = new AbortController();
    const on = <K extends keyof WindowEventMap>(
      name: K,
      handle: (event: WindowEventMap[K]) => void,
    ) => window.addEventListener(name, handle, { signal: listeners.signal });

    on("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      // Without this, the browser leaves the page and opens the file.
      event.preventDefault();
      setDragging(true);
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) setDragging(false);
    });
    on("drop", (event) => {
      setDragging(false);
      handleFiles(event, event.dataTransfer, receive.current);
    });
    on("paste", (event) => handleFiles(event, event.clipboardData, receive.current));
    return () => listeners.abort();
  }, []);

  return { isDragging };
}

function handleFiles(event: Event, data: DataTransfer | null, onFiles: (files: File[]) => void) {
  const files = [...(data?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  onFiles(files);
}
