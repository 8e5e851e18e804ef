"""A headless Chromium, driven over a pipe (the DevTools protocol), without any further package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
"""The program, or `None` where there is none."""

OPTIONS = [
    '--headless=new',
    '--no-sandbox',  # it may run as root in a container, and loads our own pages only
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--remote-debugging-pipe',
    '--window-size=900,600',
]

_START = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, pipe in zip((3, 4), pipes):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads from descriptor 3 and writes to 4."""


class Page:
    """A tab."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests = os.fdopen(requests, 'wb')
        self._answers = os.fdopen(answers, 'rb')
        self._number = 0
        self._session: str | None = None
        target = self._call('Target.createTarget', url='about:blank')['targetId']
        self._session = self._call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']

    def open(self, url: str) -> None:
        """Load a page."""
        self._call('Page.navigate', url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self._call('Runtime.evaluate', expression=expression, returnByValue=True)
        return answer['result'].get('value')

    def wait_for(self, selector: str) -> None:
        """Wait until a page is there with an element."""
        condition = f"document.readyState === 'complete' && !!document.querySelector({selector!r})"
        end = time.monotonic() + 60  # far more than a busy machine needs
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(
                    f'{selector} does not come; the page says: {self.evaluate("document.body.innerText")}'
                )
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click into the middle of an element, as a mouse does."""
        box = self.evaluate(
            f'(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector({selector!r}).getBoundingClientRect())'
        )
        for kind in ('mousePressed', 'mouseReleased'):
            self._call('Input.dispatchMouseEvent', type=kind, x=box[0], y=box[1], button='left', clickCount=1)

    def picture(self) -> str:
        """What a person sees: a PNG in base64."""
        return self._call('Page.captureScreenshot')['data']

    def quit(self) -> None:
        self._session = None
        self._call('Browser.close')
        self._requests.close()
        self._answers.close()

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        request: dict[str, Any] = {'id': self._number, 'method': method, 'params': parameters}
        if self._session is not None:
            request['sessionId'] = self._session
        self._requests.write(json.dumps(request).encode() + b'\0')
        self._requests.flush()
        while True:
            answer = json.loads(self._read())
            if answer.get('id') == self._number:
                return answer.get('result') or {}

    def _read(self) -> bytes:
        message = b''
        while (byte := self._answers.read(1)) != b'\0':
            if not byte:
                raise EOFError('Chromium has ended')
            message += byte
        return message


@contextmanager
def chromium(folder: Path) -> Generator[Page]:
    """A browser with a tab, whose profile lies in the folder."""
    their_requests, requests = os.pipe()
    answers, their_answers = os.pipe()
    command = [str(CHROMIUM), *OPTIONS, f'--user-data-dir={folder}']
    process = subprocess.Popen(
        [sys.executable, '-c', _START, str(their_requests), str(their_answers), *command],
        pass_fds=(their_requests, their_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(their_requests)
    os.close(their_answers)
    try:
        page = Page(requests, answers)
        try:
            yield page
        finally:
            page.quit()
        process.wait(60)
    finally:
        process.kill()
        process.wait()
