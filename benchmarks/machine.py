"""What the figures were measured on, without the name of the machine."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def cpu_model(cpuinfo: str) -> str:
    """The name of the processor in the text of `/proc/cpuinfo`, or an empty text."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(':')
        if name.strip() == 'model name':
            return value.strip()
    return ''


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def operating_system() -> str:
    """The system and its version."""
    try:
        return platform.freedesktop_os_release()['PRETTY_NAME']
    except (OSError, KeyError, AttributeError):
        return f'{platform.system()} {platform.release()}'


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        found = cpu_model(Path('/proc/cpuinfo').read_text(encoding='utf-8'))
    except OSError:
        found = ''
    return found or platform.processor() or platform.machine()


def about() -> dict[str, str]:
    """What a reader has to know of the machine and the day."""
    return {
        'date': datetime.now(UTC).date().isoformat(),
        'processor': f'{processor()}, {cores()} cores',
        'system': operating_system(),
        'Python': f'{platform.python_implementation()} {platform.python_version()}',
    }
