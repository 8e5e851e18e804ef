"""The device logins that are under way: a code that is shown here and typed in elsewhere; no I/O.

Nothing here is locked: the issuer does that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final, Literal

from .._protocol.constants import DEVICE_LIFETIME, DEVICE_REDIRECT_PATH
from ._grants import Account, Grants, challenge_of, oauth_error
from ._issuer_options import IssuerOptions

_LIFETIME: Final = timedelta(seconds=DEVICE_LIFETIME)
_LETTERS: Final = 'BCDFGHJKLMNPQRSTVWXZ'
_PENDING: Final = 403
"""The CLI goes on polling after it (captured); the words of its body are ours."""


@dataclass(slots=True)
class _Device:
    auth_id: str
    user_code: str
    redirect_uri: str
    expires_at: datetime
    state: Literal['pending', 'approved', 'denied'] = 'pending'
    account: Account | None = None
    polls: int = 0


class Devices:
    """Device logins."""

    def __init__(self, options: IssuerOptions, grants: Grants, now: Callable[[], datetime]) -> None:
        self._options = options
        self._grants = grants
        self._now = now
        self._devices: list[_Device] = []
        self._begun = 0

    @property
    def user_codes(self) -> list[str]:
        """The codes that wait for somebody, oldest first."""
        return [each.user_code for each in self._devices if each.state == 'pending' and not self._is_over(each)]

    def begin(self, origin: str) -> dict[str, Any]:
        """Hand out a code.

        Raises:
            Rejection: 404, where the device login is switched off.
        """
        if not self._options.device_login:
            raise oauth_error('not_found', 'The device login is not enabled.', status=404)
        self._begun += 1
        device = _Device(
            auth_id=f'deviceauth_{token_urlsafe(24)}',
            user_code=_user_code(self._begun),
            redirect_uri=origin + DEVICE_REDIRECT_PATH,
            expires_at=self._now() + _LIFETIME,
        )
        self._devices.append(device)
        return {
            'device_auth_id': device.auth_id,
            'user_code': device.user_code,
            'interval': str(self._options.device_interval),  # A text (captured).
            'expires_at': device.expires_at.isoformat(),
        }

    def poll(self, auth_id: str, user_code: str, account: Account) -> dict[str, str]:
        """The authorization code, once it was approved; `account` is whose it is where it approves itself.

        Raises:
            Rejection: 403 before; else 400, where nothing will come of it.
        """
        device = next((each for each in self._devices if each.auth_id == auth_id), None)
        if device is None or device.user_code != user_code:
            raise oauth_error('invalid_grant', 'There is no such device login, or it has another user_code.')
        if self._is_over(device):
            raise oauth_error('expired_token', 'The user_code has expired.')
        device.polls += 1
        limit = self._options.device_polls
        if device.state == 'pending' and limit is not None and device.polls > limit:
            self.decide(user_code, account)
        if device.state == 'denied':
            raise oauth_error('access_denied', 'The login was denied.')
        if device.account is None:
            raise oauth_error('pending', 'The user_code was not entered yet.', status=_PENDING)
        self._devices.remove(device)
        verifier = token_urlsafe(64)
        challenge = challenge_of(verifier)
        code = self._grants.issue_code(device.account, redirect_uri=device.redirect_uri, challenge=challenge)
        return {'authorization_code': code, 'code_challenge': challenge, 'code_verifier': verifier}

    def decide(self, user_code: str, account: Account | None) -> bool:
        """Approve for an account, or deny without one; whether there was such a code to decide about."""
        typed = user_code.strip().upper()
        device = next((each for each in self._devices if each.user_code == typed), None)
        if device is None or device.state != 'pending' or self._is_over(device):
            return False
        device.state = 'denied' if account is None else 'approved'
        device.account = account
        return True

    def _is_over(self, device: _Device) -> bool:
        return self._now() >= device.expires_at


def _user_code(number: int) -> str:
    """Four letters and four digits, the same in each run: a documented session shows them."""
    digest = hashlib.sha256(f'device {number}'.encode()).digest()
    letters = ''.join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:4])
    return f'{letters}-{"".join(str(byte % 10) for byte in digest[4:8])}'
