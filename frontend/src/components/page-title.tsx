// The heading of a page. It takes the focus after a route change, so that a screen reader reads it.
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { useConfig } from "@/config/use-config";

interface PageTitleProps {
  title: string;
  children?: ReactNode;
  // For a page whose content was replaced: the pressed button no longer exists, so the heading takes the focus.
  isNews?: boolean;
}

export function PageTitle({ title, children, isNews }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirstPage = useLocation().key === "default";
  const takesFocus = isNews || !isFirstPage;
  const { app_name } = useConfig();

  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, [takesFocus]);

  return (
    <>
      <title>{`${title} · ${app_name}`}</title>
      <h1 ref={heading} tabIndex={-1}>
        {children ?? title}
      </h1>
    </>
  );
}
