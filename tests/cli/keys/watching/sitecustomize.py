"""Loaded into every Python process of the leak test: keeps what a process logs, what its children are given, and every file
that it removes, in the folder that KEYADMIN_TEST_EVIDENCE names.
"""

import logging
import os
import shutil
import sys
import uuid

_FOLDER = os.environ["KEYADMIN_TEST_EVIDENCE"]
_BREAK = os.environ.get("KEYADMIN_TEST_BREAK")
_busy = False


def _keep(kind, text):
    with open(os.path.join(_FOLDER, f"{kind}-{os.getpid()}-{uuid.uuid4().hex}"), "w", errors="replace") as file:
        file.write(text)


def _hook(event, arguments):
    global _busy
    if _busy or event not in ("os.remove", "subprocess.Popen", "os.posix_spawn", "os.exec"):
        return
    _busy = True
    try:
        if event == "os.remove":
            if os.path.isfile(arguments[0]) and _FOLDER not in str(arguments[0]):
                shutil.copyfile(arguments[0], os.path.join(_FOLDER, f"removed-{uuid.uuid4().hex}"))
        else:
            *command, environment = arguments[:2] + arguments[-1:]
            given = os.environ if environment is None else environment
            _keep("child", repr(command) + "\n" + repr(dict(given)))
    except OSError:
        pass
    finally:
        _busy = False


sys.addaudithook(_hook)

_handler = logging.FileHandler(os.path.join(_FOLDER, f"log-{os.getpid()}"), delay=True)
_handler.setLevel(logging.DEBUG)
logging.getLogger().addHandler(_handler)
logging.getLogger().setLevel(logging.DEBUG)

if _BREAK == "aiohttp":
    # An error in a library, with all that was sent in its words.
    import aiohttp

    _request = aiohttp.ClientSession._request

    async def _broken(self, *arguments, **named):
        answer = await _request(self, *arguments, **named)
        raise RuntimeError(f"broken in the middle of {arguments} {named}: {await answer.text()}")

    aiohttp.ClientSession._request = _broken  # type: ignore[method-assign]
