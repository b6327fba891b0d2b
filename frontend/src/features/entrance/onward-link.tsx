// The way on from a page that has done its work: straight for whoever is signed in, else by logging in.
import { PageLink } from "@/components/page-link";
import { loginPath } from "@/session/next-path";
import { useSession } from "@/session/use-session";

export function OnwardLink({ to, label }: { to: string; label: string }) {
  const { data: account } = useSession();
  return (
    <PageLink to={account ? to : loginPath(to)} className="button button-primary">
      {account ? label : "Log in"}
    </PageLink>
  );
}
