// One section of the account page: its heading and its content.
import { type ReactNode, type Ref, useId } from "react";

interface AccountSectionProps {
  title: string;
  // Gets the focus when the section removes the focused control.
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
