// The frame that the log-in and the sign-up form share; whoever is signed in already is sent on.
import type { FormEvent, ReactNode } from "react";
import { Navigate, useLocation } from "react-router";
import { PageLink } from "@/components/page-link";
import { PageTitle } from "@/components/page-title";
import { ProblemNote } from "@/components/problem-note";
import { nextPath } from "./next-path";
import { useSession } from "./use-session";

interface EntranceProps {
  title: string;
  submitLabel: string;
  isPending: boolean;
  error: unknown;
  onSubmit: (form: FormData) => void;
  other: { question: string; label: string; path: string };
  children: ReactNode;
}

export function Entrance(props: EntranceProps) {
  const { data: account } = useSession();
  const { search } = useLocation();
  if (account) return <Navigate to={nextPath(search)} replace />;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!props.isPending) props.onSubmit(new FormData(event.currentTarget));
  }

  return (
    <div className="entrance">
      <section className="entrance-pitch" aria-label="About Slipway">
        <p>One photo in.</p>
        <p>Every size your shop needs, out.</p>
        <div className="entrance-picture" />
      </section>
      <section className="entrance-form">
        <PageTitle title={props.title} />
        <form onSubmit={submit}>
          {props.children}
          {props.error !== null && <ProblemNote error={props.error} />}
          <button type="submit" className="button button-primary" aria-disabled={props.isPending}>
            {props.isPending ? "One moment …" : props.submitLabel}
          </button>
        </form>
        <p className="entrance-other">
          {props.other.question}{" "}
          <PageLink to={props.other.path + search}>{props.other.label}</PageLink>
        </p>
      </section>
    </div>
  );
}
