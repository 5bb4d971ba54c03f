"""The Windows user environment: `HKEY_CURRENT_USER\\Environment`, what the Environment Variables dialog shows."""

from __future__ import annotations

import sys

from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString


def read(name: str) -> KeyString | None:
    """The variable's value; None where it is not set, or this is not Windows."""
    if sys.platform != "win32":
        return None
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, "Environment") as key:
            return KeyString(str(winreg.QueryValueEx(key, name)[0]))
    except FileNotFoundError:
        return None


def write(name: str, value: KeyString | None) -> None:
    """Set the variable, or take it out (None), and tell running programs. Raises usage() where this is not Windows."""
    if sys.platform != "win32":
        raise usage("the Windows user environment is on Windows only", "use --shell bash, zsh, fish, powershell or dotenv")
    import ctypes
    import winreg

    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, "Environment", 0, winreg.KEY_SET_VALUE) as key:
        if value is not None:
            winreg.SetValueEx(key, name, 0, winreg.REG_SZ, value.reveal())
        else:
            try:
                winreg.DeleteValue(key, name)
            except FileNotFoundError:
                return
    # WM_SETTINGCHANGE to all windows, so that a new terminal has it
    ctypes.windll.user32.SendMessageTimeoutW(0xFFFF, 0x1A, 0, "Environment", 2, 1000, None)
