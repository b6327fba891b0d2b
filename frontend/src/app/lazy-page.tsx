// A page in its own chunk that can be preloaded.
import { type ComponentType, lazy, useState } from "react";

export function lazyPage(load: () => Promise<{ default: ComponentType }>) {
  let loaded: ComponentType | undefined;
  const Lazy = lazy(load);

  // React.lazy suspends even when the page is loaded, and React then shows the page 300 ms late.
  function Page() {
    const [Shown] = useState(() => loaded ?? Lazy);
    return <Shown />;
  }

  async function preload() {
    loaded = (await load()).default;
  }

  return { Page, preload };
}
