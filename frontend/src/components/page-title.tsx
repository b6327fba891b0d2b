// The heading of a page; it takes the focus after a route change, so that a screen reader says where it is.
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

interface PageTitleProps {
  title: string;
  children?: ReactNode;
  // For a page that changes under the reader: the pressed button is gone, so the heading takes its focus.
  isNews?: boolean;
}

export function PageTitle({ title, children, isNews }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirstPage = useLocation().key === "default";
  const takesFocus = isNews || !isFirstPage;

  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, [takesFocus]);

  return (
    <>
      <title>{`${title} · Slipway`}</title>
      <h1 ref={heading} tabIndex={-1}>
        {children ?? title}
      </h1>
    </>
  );
}
