"""Routes of accounts: sign up, verify, reset, change, export, delete."""

from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import RedirectResponse

from backend.accounts import deletion, exports, links, service
from backend.accounts.attempts import AttemptLimit
from backend.accounts.dependencies import ActiveUser, CurrentUser, PasswordSlot
from backend.accounts.models import Export
from backend.accounts.schemas import (
    AccountChange,
    AccountDeletion,
    AccountOut,
    EmailChange,
    ExportList,
    ExportOut,
    PasswordChange,
    RequestReset,
    ResetPassword,
    SignUp,
    VerifyAddress,
)
from backend.web.background import in_transaction
from backend.web.dependencies import ReadSessionDep, SessionDep, SettingsDep, StorageDep
from backend.web.problems import problems, request_id_of

router = APIRouter(prefix="/api/accounts", tags=["accounts"])


@router.post("", status_code=201, dependencies=[AttemptLimit, PasswordSlot], responses=problems(403, 409, 413, 422))
def sign_up(body: SignUp, request: Request, session: SessionDep, settings: SettingsDep) -> AccountOut:
    """Create an account, and mail a link that verifies its address. The user signs in separately."""
    user = service.sign_up(
        session,
        settings,
        email=body.email,
        password=body.password.get_secret_value(),
        name=body.name,
        request_id=request_id_of(request),
    )
    return AccountOut.of(user)


@router.post("/verify", status_code=204, dependencies=[AttemptLimit], responses=problems(409, 413, 422))
def verify_address(body: VerifyAddress, request: Request, session: SessionDep) -> None:
    """Verify an address, or change to it, with the token of a mailed link."""
    links.confirm_address(session, body.token, request_id_of(request))


@router.post("/verify/resend", status_code=202, dependencies=[AttemptLimit], responses=problems(401))
def resend_verification(request: Request, user: ActiveUser, session: SessionDep, settings: SettingsDep) -> None:
    """Mail the verification link again."""
    account = service.get_user(session, user.user_id)
    links.send_verification(session, settings, account, request_id_of(request))


@router.post("/password-reset", status_code=202, dependencies=[AttemptLimit], responses=problems(413, 422))
async def request_password_reset(
    body: RequestReset, request: Request, settings: SettingsDep, background: BackgroundTasks
) -> None:
    """Mail a link that sets a new password. The response is the same whether or not the address has an account."""
    send = links.request_password_reset
    background.add_task(in_transaction, request, send, settings, body.email, request_id_of(request))


@router.post(
    "/password-reset/confirm", status_code=204, dependencies=[AttemptLimit, PasswordSlot], responses=problems(413, 422)
)
def reset_password(body: ResetPassword, request: Request, session: SessionDep) -> None:
    """Set a new password with the token of a mailed link. This signs out every device."""
    links.reset_password(session, body.token, body.password.get_secret_value(), request_id_of(request))


@router.get("/me", responses=problems(401))
def read_account(user: CurrentUser, session: ReadSessionDep) -> AccountOut:
    """Return the signed-in account."""
    return AccountOut.of(service.get_user(session, user.user_id))


@router.patch("/me", responses=problems(401, 413, 422))
def change_account(body: AccountChange, user: ActiveUser, session: SessionDep) -> AccountOut:
    """Change the name or the preferences."""
    return AccountOut.of(
        service.update_account(session, user.user_id, name=body.name, mail_when_finished=body.mail_when_finished)
    )


@router.post(
    "/me/password", status_code=204, dependencies=[AttemptLimit, PasswordSlot], responses=problems(401, 413, 422)
)
def change_password(body: PasswordChange, request: Request, user: ActiveUser, session: SessionDep) -> None:
    """Set a new password. This signs out all other devices."""
    current = body.current_password.get_secret_value() if body.current_password else None
    service.change_password(
        session,
        user.user_id,
        user.session_id,
        current=current,
        new=body.new_password.get_secret_value(),
        request_id=request_id_of(request),
    )


@router.post("/me/email", status_code=202, dependencies=[AttemptLimit, PasswordSlot], responses=problems(401, 413, 422))
def change_email(
    body: EmailChange,
    request: Request,
    user: ActiveUser,
    session: SessionDep,
    settings: SettingsDep,
    background: BackgroundTasks,
) -> None:
    """Mail a link to the new address. The address changes when the user opens the link."""
    account = service.get_user(session, user.user_id)
    service.check_password(account, body.password.get_secret_value() if body.password else None)
    send = links.request_email_change
    background.add_task(in_transaction, request, send, settings, user.user_id, body.email, request_id_of(request))


@router.delete("/me", status_code=204, dependencies=[AttemptLimit, PasswordSlot], responses=problems(401, 413, 422))
def delete_account(body: AccountDeletion, user: ActiveUser, session: SessionDep) -> None:
    """Close the account immediately. A task then deletes its files and rows."""
    deletion.close_account(session, user.user_id, body.password.get_secret_value() if body.password else None)


@router.post("/me/exports", status_code=202, responses=problems(401, 409))
def request_export(user: ActiveUser, session: SessionDep) -> ExportOut:
    """Request a copy of all data of the account."""
    return _export_out(exports.request_export(session, user.user_id))


@router.get("/me/exports", responses=problems(401))
def list_exports(user: CurrentUser, session: ReadSessionDep) -> ExportList:
    """List the account's recent exports, newest first."""
    return ExportList(items=[_export_out(export) for export in exports.list_exports(session, user.user_id)])


@router.get(
    "/me/exports/{export_id}/file", status_code=302, response_class=RedirectResponse, responses=problems(401, 404, 422)
)
def download_export(
    export_id: UUID, user: CurrentUser, session: ReadSessionDep, storage: StorageDep
) -> RedirectResponse:
    """Redirect to a signed download of an export."""
    return RedirectResponse(exports.sign_export(session, storage, user.user_id, export_id), 302)


def _export_out(export: Export) -> ExportOut:
    ready = export.status == exports.READY
    return ExportOut(
        id=export.id,
        status=export.status,
        size=export.size,
        created_at=export.created_at,
        expires_at=export.expires_at,
        url=f"/api/accounts/me/exports/{export.id}/file" if ready else None,
    )
