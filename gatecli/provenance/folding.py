"""Names, logins and addresses in the form in which they are compared."""

import unicodedata


def normal(text: str) -> str:
    """Addresses, logins and names to compare: case, width and a leading ``@`` do not matter."""
    return unicodedata.normalize("NFKC", text[:400]).strip().removeprefix("@").casefold()
