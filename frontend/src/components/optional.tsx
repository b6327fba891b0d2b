// A part of a page that comes after it, and is left out when it can't be loaded: the page is good without it.
import { type ComponentType, createElement, lazy, Suspense } from "react";

export function optional<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  const Part = lazy<ComponentType<Props>>(() => load().catch(() => ({ default: () => null })));
  return (props) => <Suspense>{createElement(Part, props)}</Suspense>;
}
