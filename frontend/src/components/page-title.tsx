// The heading of a page; it takes the focus after a route change, so that a screen reader says where it is.
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

export function PageTitle({ title, children }: { title: string; children?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirstPage = useLocation().key === "default";

  useEffect(() => {
    if (!isFirstPage) heading.current?.focus();
  }, [isFirstPage]);

  return (
    <>
      <title>{`${title} · Slipway`}</title>
      <h1 ref={heading} tabIndex={-1}>
        {children ?? title}
      </h1>
    </>
  );
}
