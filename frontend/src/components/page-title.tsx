// The heading of a page. It gets the focus after a route change, so that screen readers read it.
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { useConfig } from "@/config/use-config";

interface PageTitleProps {
  title: string;
  children?: ReactNode;
  // Set when the content was replaced without a route change: the pressed button no longer exists.
  replacesContent?: boolean;
}

export function PageTitle({ title, children, replacesContent }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirstPage = useLocation().key === "default";
  const getsFocus = replacesContent || !isFirstPage;
  const { app_name } = useConfig();

  useEffect(() => {
    if (getsFocus) heading.current?.focus();
  }, [getsFocus]);

  return (
    <>
      <title>{`${title} · ${app_name}`}</title>
      <h1 ref={heading} tabIndex={-1}>
        {children ?? title}
      </h1>
    </>
  );
}
