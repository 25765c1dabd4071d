"""Certificates of both ports, read again when their files change; new connections get the new ones."""

from __future__ import annotations

import logging
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from plugin_server.errors import InvalidField
from plugin_server.reloaded import Reloaded
from plugin_server.server_settings import ServerSettings

log = logging.getLogger(__name__)

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name.
NO_CHECK_TIME = 0x200000


@dataclass(frozen=True, slots=True)
class Material:
    """What a server shows of itself and asks of clients, ready for use.

    Attributes:
        context: for HTTP.
        configuration: for gRPC.
        expires: end of the certificate's validity, seconds since 1970.
    """

    context: ssl.SSLContext
    configuration: Any
    expires: float


class Certificates:
    """The certificate, its key and the authorities of clients, as they are in their files; TLS 1.2 and 1.3.

    An expired certificate is used at the start, with an error in the log: it is for clients to judge, their clocks
    included, and a new file counts without a restart. Later it does not replace the one that is in use.

    Args:
        settings: with `tls_certificate` and `tls_key`.

    Raises:
        InvalidField: a file cannot be used; the message names it and what is wrong.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        files = [settings.tls_certificate, settings.tls_key, settings.tls_client_ca]
        self._files = Reloaded(list(filter(None, files)), self._material)
        self._given = self._files.current

    @classmethod
    def of(cls, settings: ServerSettings) -> Certificates | None:
        """The certificates that are set; None without."""
        return cls(settings) if settings.tls_certificate else None

    @property
    def expires(self) -> float:
        """When the certificate in use expires, seconds since 1970."""
        return self._files.current.expires

    def context(self) -> ssl.SSLContext:
        """A context for a server, each of whose connections is made by the newest certificates."""
        return Renewed(self._files)

    def credentials(self) -> grpc.ServerCredentials:
        """The same for gRPC, which asks whenever a client connects."""
        asks = bool(self._settings.tls_client_ca)
        return grpc.dynamic_ssl_server_credentials(self._given.configuration, self._changed, asks)

    def _changed(self) -> Any:
        """gRPC's form of the newest certificates; None if it has them, whose sessions clients may then take up."""
        newest = self._files.current
        if newest is self._given:
            return None
        self._given = newest
        return newest.configuration

    def _material(self, before: Material | None) -> Material:
        """What the files hold.

        Raises:
            InvalidField: they cannot be used, or are not worth replacing what there was before.
        """
        context = _context(self._settings)
        expires = _expiry(context, self._settings.tls_certificate)
        if expires <= time.time():
            date = datetime.fromtimestamp(expires, UTC)
            past = f"tls_certificate: {self._settings.tls_certificate}: expired on {date:%Y-%m-%d %H:%M} UTC"
            if before:
                raise InvalidField(past)
            log.error("%s: most clients refuse it: replace the file, which is then read without a restart", past)
        if ca := self._settings.tls_client_ca:
            _trust(context, "tls_client_ca", ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return Material(context, _configuration(self._settings), expires)


class Renewed(ssl.SSLContext):
    """A context that hands every connection over to the newest one."""

    _files: Reloaded[Material]

    def __new__(cls, files: Reloaded[Material]) -> Renewed:
        """The context."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._files = files
        return made

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """A connection, as event loops ask for it."""
        return self._files.current.context.wrap_bio(*args, **options)


def _context(settings: ServerSettings) -> ssl.SSLContext:
    """A server's context with certificate and key.

    Raises:
        InvalidField: they cannot be used.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "tls_certificate", certificate)  # so that faults are told apart
    try:
        context.load_cert_chain(certificate, key, password="")  # none is asked for at the terminal
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InvalidField(f"tls_key: {key}: is not the key of the certificate in {certificate}") from None
        if error.reason:
            raise InvalidField(f"tls_certificate: {certificate}: cannot be used: {_words(error)}") from None
        fix = "give one in PEM, whole and without a passphrase"
        raise InvalidField(f"tls_key: {key}: holds no key that can be read: {fix}") from None
    except OSError as error:
        raise InvalidField(f"tls_key: {key}: cannot be read: {error.strerror}") from None
    return context


def _trust(context: ssl.SSLContext, field: str, file: str) -> None:
    """Nothing; the context trusts the certificates in a file.

    Raises:
        InvalidField: it cannot be read, or holds none.
    """
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        message = f"{field}: {file}: holds no certificate that can be read: give PEM, and the whole file"
        raise InvalidField(message) from None
    except OSError as error:
        raise InvalidField(f"{field}: {file}: cannot be read: {error.strerror}") from None


def _expiry(context: ssl.SSLContext, certificate: str) -> float:
    """When a server's certificate expires, seconds since 1970: it is shown to a client within this process.

    That is the one way in which Python's own library tells what a certificate holds, and a trial of it as well.

    Raises:
        InvalidField: a client that trusts this very certificate refuses it for another reason than its age.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    trusting.set_ciphers("DEFAULT@SECLEVEL=0")
    _trust(trusting, "tls_certificate", certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, client = context.wrap_bio(there, back, server_side=True), trusting.wrap_bio(back, there)
    try:
        for side in (client, server, client):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        shown: Any = client.getpeercert()
        return float(ssl.cert_time_to_seconds(shown["notAfter"]))
    except ssl.SSLError as error:
        raise InvalidField(f"tls_certificate: {certificate}: cannot be used: {_words(error)}") from None


def _configuration(settings: ServerSettings) -> Any:
    """The files in gRPC's form; certificate and key were found to belong together.

    Raises:
        InvalidField: a file is gone meanwhile.
    """
    try:
        pair = Path(settings.tls_key).read_bytes(), Path(settings.tls_certificate).read_bytes()
        ca = Path(settings.tls_client_ca).read_bytes() if settings.tls_client_ca else None
    except OSError as error:
        raise InvalidField(f"tls: {error.filename}: cannot be read: {error.strerror}") from None
    return grpc.ssl_server_certificate_configuration([pair], ca)


def _words(error: ssl.SSLError) -> str:
    """OpenSSL's reason in plain letters."""
    detail = getattr(error, "verify_message", "")
    return detail or (error.reason or str(error)).lower().replace("_", " ")
