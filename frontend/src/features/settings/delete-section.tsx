// The way out: the account and everything in it, gone.
import { useState } from "react";
import type { Account } from "@/api/types";
import { AccountSection } from "./account-section";
import { DeleteDialog } from "./delete-dialog";

export function DeleteSection({ account }: { account: Account }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <AccountSection title="Delete your account">
      <p>
        Your account, your photos and everything made of them go, and nobody can bring them back.
      </p>
      <button type="button" className="button button-danger" onClick={() => setAsking(true)}>
        Delete account …
      </button>
      {isAsking && <DeleteDialog account={account} onClose={() => setAsking(false)} />}
    </AccountSection>
  );
}
