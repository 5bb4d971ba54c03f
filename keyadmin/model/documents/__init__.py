"""The JSON documents that commands print, as dataclasses: the fields by their JSON names. A field with a default may be absent.

Their schemas (docs/reference/schemas), the columns of CSV and the names that `--fields` takes are made from them. Which
command prints which: `keyadmin/cli/documents.py`.
"""

from __future__ import annotations
