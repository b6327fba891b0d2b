// The frame of every page that stands before the studio: the picture on one side, what there is to do on the other.
import "./entrance.css";
import type { ReactNode } from "react";

export function EntranceFrame({ children }: { children: ReactNode }) {
  return (
    <div className="entrance">
      <section className="entrance-pitch" aria-label="About Slipway">
        <p>One photo in.</p>
        <p>Every size your shop needs, out.</p>
        <div className="entrance-picture" />
      </section>
      <section className="entrance-form">{children}</section>
    </div>
  );
}
