// The frame of every page for signed-out users: the picture on one side, the form on the other.
import "./entrance.css";
import type { ReactNode } from "react";
import { useConfig } from "@/config/use-config";

export function EntranceFrame({ children }: { children: ReactNode }) {
  return (
    <div className="entrance">
      <section className="entrance-pitch" aria-label={`About ${useConfig().app_name}`}>
        <p>One file in.</p>
        <p>Everything you need, out.</p>
        <div className="entrance-picture" />
      </section>
      <section className="entrance-form">{children}</section>
    </div>
  );
}
