"""Text that appears on the terminal while it is being written."""

from cli.output import Output


class TextTail:
    """Prints what is new, by offset; what was missed on the way comes with the end.

    Offsets count code points. When the text is begun anew (another attempt), it is printed anew.
    """

    def __init__(self, out: Output) -> None:
        self.out = out
        self.printed = ""

    def add(self, offset: int, text: str) -> None:
        known = len(self.printed)
        if offset > known:
            return
        if self.printed[offset : offset + len(text)] != text[: known - offset]:
            self._again(text if offset == 0 else "")
        else:
            self._print(text[known - offset :])

    def finish(self, text: str) -> None:
        """The whole text is known: print what is still missing, and end the line."""
        if not text.startswith(self.printed):
            self._again("")
        self._print(text[len(self.printed) :])
        if not text.endswith("\n"):
            self.out.text("\n")

    def _again(self, text: str) -> None:
        self.printed = ""
        self.out.text("\n")
        self.out.note("(begun anew)", "dim")
        self._print(text)

    def _print(self, text: str) -> None:
        self.out.text(text)
        self.printed += text
