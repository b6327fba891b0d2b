// Deletes the account and everything in it.
import { useState } from "react";
import type { Account } from "@/api/types";
import { AccountSection } from "./account-section";
import { DeleteDialog } from "./delete-dialog";

export function DeleteSection({ account }: { account: Account }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <AccountSection title="Delete your account">
      <p>This deletes your account, your files and everything made of them. It can't be undone.</p>
      <button type="button" className="button button-danger" onClick={() => setAsking(true)}>
        Delete account …
      </button>
      {isAsking && <DeleteDialog account={account} onClose={() => setAsking(false)} />}
    </AccountSection>
  );
}
