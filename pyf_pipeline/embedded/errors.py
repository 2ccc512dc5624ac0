"""What a request that cannot be answered raises, in Typesense's words."""

FORBIDDEN = "Forbidden - a valid `x-typesense-api-key` header must be sent."


class ApiError(Exception):
    """A request refused: `status` and `message` are what the caller gets."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class UnsupportedError(ApiError):
    """Something that Typesense does and this index does not: said, never half done."""

    def __init__(self, what: str) -> None:
        super().__init__(400, f"{what} is not supported by the embedded index.")


def bad_request(message: str) -> ApiError:
    """A 400 with this message."""
    return ApiError(400, message)


def not_found(message: str) -> ApiError:
    """A 404 with this message."""
    return ApiError(404, message)
