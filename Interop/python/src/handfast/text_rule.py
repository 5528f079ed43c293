"""Texts that another party wrote and a person reads beside what is trusted (Spec/05 §5.3)."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]")


def is_shown_text(text: str, most: int) -> bool:
    """Whether it has 1 to `most` bytes and nothing that changes the line it stands in."""
    return 1 <= len(text.encode("utf-8")) <= most and not _CONTROL.search(text)
