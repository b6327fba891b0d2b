// Deletes the account and everything in it.
import { useState } from "react";
import type { Account } from "@/api/types";
import { AccountSection } from "./account-section";
import { DeleteDialog } from "./delete-dialog";

export function DeleteSection({ account }: { account: Account }) {
  const [isConfirming, setConfirming] = useState(false);
  return (
    <AccountSection title="Delete your account">
      <p>This deletes your account, files and results. It can't be undone.</p>
      <button type="button" className="button button-danger" onClick={() => setConfirming(true)}>
        Delete account …
      </button>
      {isConfirming && <DeleteDialog account={account} onClose={() => setConfirming(false)} />}
    </AccountSection>
  );
}
