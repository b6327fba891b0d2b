// Confirms an action that can't be undone. The native dialog traps and restores the focus.
import { type ReactNode, useEffect, useId, useRef } from "react";

const CONFIRMED = "confirmed";

interface ConfirmDialogProps {
  title: string;
  children: ReactNode;
  confirmLabel: string;
  onClose: (confirmed: boolean) => void;
}

export function ConfirmDialog({ title, children, confirmLabel, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onClose={(event) => onClose(event.currentTarget.returnValue === CONFIRMED)}
    >
      <h2 id={titleId}>{title}</h2>
      <p>{children}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button
          type="button"
          className="button button-danger"
          onClick={() => dialog.current?.close(CONFIRMED)}
        >
          {confirmLabel}
        </button>
      </div>
    </dialog>
  );
}
