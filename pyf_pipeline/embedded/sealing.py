"""Values of search-only keys, kept so that whoever has the admin key can read them, and nobody else.

A scoped search key is signed by its maker with the value of a search-only key, and never shown to the index before it
is used. To check the signature the index needs that value, so a hash of it, which is all that is kept of other keys, is
not enough. The value is therefore also stored encrypted, by a secret that comes of the admin key, which is not stored:
from the file alone no key can be read. With another admin key than the one under which a key was made its scoped keys
are refused; the key itself goes on working.

The standard library has no cipher, but what it has makes one: SHAKE-256 over secret and a random salt gives a stream as
long as the value, used once. That the result is unaltered shows by the hash of the value that is stored beside it.
"""

import hashlib
import hmac
import secrets
import threading

SALT_BYTES = 16


class Sealer:
    """Encrypts and decrypts under one admin key. Safe to share between threads."""

    def __init__(self, admin_key: str) -> None:
        self._admin_key = admin_key.encode()
        self._secret = b""
        self._lock = threading.Lock()

    def seal(self, value: str) -> bytes:
        """The value encrypted; another text each time."""
        salt = secrets.token_bytes(SALT_BYTES)
        return salt + self._mixed(salt, value.encode())

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed; without meaning where that was under another admin key."""
        return self._mixed(sealed[:SALT_BYTES], sealed[SALT_BYTES:])

    def derived(self, purpose: str) -> str:
        """A key that follows from the admin key, and from which the admin key cannot be had."""
        return hmac.digest(self._stretched(), purpose.encode(), hashlib.sha256).hex()

    def _mixed(self, salt: bytes, text: bytes) -> bytes:
        stream = hashlib.shake_256(self._stretched() + salt).digest(len(text))
        return bytes(a ^ b for a, b in zip(text, stream, strict=True))

    def _stretched(self) -> bytes:
        """The admin key made long, slowly, so that a weak one cannot be found by trying; once in a process."""
        with self._lock:
            if not self._secret:
                self._secret = hashlib.scrypt(self._admin_key, salt=b"pyf scoped search keys", n=2**14, r=8, p=1)
        return self._secret
