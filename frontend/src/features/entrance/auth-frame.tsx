// The layout of the pages for logged-out users: picture on one side, form on the other.
import "./auth.css";
import type { ReactNode } from "react";
import { useConfig } from "@/config/use-config";

export function AuthFrame({ children }: { children: ReactNode }) {
  return (
    <div className="auth">
      <section className="auth-pitch" aria-label={`About ${useConfig().app_name}`}>
        <p>One file in.</p>
        <p>Everything you need, out.</p>
        <div className="auth-picture" />
      </section>
      <section className="auth-form">{children}</section>
    </div>
  );
}
