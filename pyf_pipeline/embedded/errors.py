"""What a request that cannot be answered raises, in Typesense's words."""

FORBIDDEN = "Forbidden - a valid `x-typesense-api-key` header must be sent."


class ApiError(Exception):
    """A request refused: `status` and `message` are what the caller gets, and for a filter where in it the fault is.

    The position (characters before it) is a member of its own in the answer, as Typesense's messages, which clients
    and tests compare, have none.
    """

    def __init__(self, status: int, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.position = position

    @property
    def details(self) -> dict[str, int]:
        """What the answer says beside status and message."""
        return {} if self.position is None else {"position": self.position}


class UnsupportedError(ApiError):
    """Something that Typesense does and this index does not: said, never half done."""

    def __init__(self, what: str) -> None:
        super().__init__(400, f"{what} is not supported by the embedded index.")


def bad_request(message: str, position: int | None = None) -> ApiError:
    """A 400 with this message."""
    return ApiError(400, message, position)


def not_found(message: str) -> ApiError:
    """A 404 with this message."""
    return ApiError(404, message)
