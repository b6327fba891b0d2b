// One part of the account page: its heading and what belongs below it.
import { type ReactNode, type Ref, useId } from "react";

interface AccountSectionProps {
  title: string;
  // A section that loses the control in use gives the focus to its heading.
  heading?: Ref<HTMLHeadingElement>;
  children: ReactNode;
}

export function AccountSection({ title, heading, children }: AccountSectionProps) {
  const id = useId();
  return (
    <section className="account-section" aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <div className="account-content">{children}</div>
    </section>
  );
}
