// A page in a chunk of its own that can be loaded before it is shown.
import { type ComponentType, lazy, useState } from "react";

export function lazyPage(load: () => Promise<{ default: ComponentType }>) {
  let loaded: ComponentType | undefined;
  const Lazy = lazy(load);

  // React.lazy suspends for a moment even when the page is loaded, and React reveals what was suspended 300 ms late.
  function Page() {
    const [Shown] = useState(() => loaded ?? Lazy);
    return <Shown />;
  }

  async function preload() {
    loaded = (await load()).default;
  }

  return { Page, preload };
}
