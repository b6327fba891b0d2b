// Stands above the photos for as long as the email address is not confirmed.
import { optional } from "@/components/optional";
import { useSession } from "@/session/use-session";

const UnverifiedNote = optional(() => import("./unverified-note"));

export function VerificationNotice() {
  const { data: account } = useSession();
  if (!account || account.email_verified) return null;
  return <UnverifiedNote email={account.email} />;
}
