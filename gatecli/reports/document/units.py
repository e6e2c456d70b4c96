"""The units of the report's figures, and the kind of object all of it is made of."""

from typing import Annotated

import msgspec

Share = Annotated[float, msgspec.Meta(description="A part of the profile's total, 0 to 1.")]
Milliseconds = Annotated[float, msgspec.Meta(description="Milliseconds.")]
PerMinute = Annotated[float, msgspec.Meta(description="Calls per minute over the profile's window.")]
Seconds = Annotated[float, msgspec.Meta(description="Seconds.")]
Line = Annotated[int, msgspec.Meta(description="A 1-based line number.")]
Timestamp = Annotated[int, msgspec.Meta(description="UTC epoch seconds.")]
Points = Annotated[int, msgspec.Meta(description="10 points double the odds of a bad outcome, or the traffic touched.")]


class Object(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An object whose fields are all required and which has no others."""
