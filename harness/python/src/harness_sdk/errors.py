"""Errors that the harness tells apart."""


class HarnessError(Exception):
    """An error with a kind that the harness acts on."""

    kind = "internal"


class ConfigError(HarnessError):
    """The configuration is invalid."""

    kind = "config"


class NotInjectable(HarnessError):
    """The method or module does not fit this backbone or class set: a result, not a failure."""

    kind = "not-injectable"


class NumericError(HarnessError):
    """A number became NaN or infinite, or a gradient is missing or wrong."""

    kind = "numeric"


class HostError(HarnessError):
    """The harness refused a request."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Placed(HarnessError):
    """An error with the function in which it occurred."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
