// A link between pages; the router's own Link would bring prefetching code that we don't use.
import type { ComponentProps } from "react";
import { useHref, useLinkClickHandler } from "react-router";

type PageLinkProps = Omit<ComponentProps<"a">, "href" | "onClick"> & { to: string };

export function PageLink({ to, children, ...rest }: PageLinkProps) {
  const href = useHref(to);
  const follow = useLinkClickHandler<HTMLAnchorElement>(to);
  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  );
}
