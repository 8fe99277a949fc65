"""A mail whose connection is to be encrypted goes to no server that shows a certificate of its own making (NOTE-5)."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from statecore import InMemoryDb, Step, Workflow
from statecore.notices.channels import Mail
from statecore.notices.events import calls
from statecore.stores import PauseFilter


def own_certificate(folder):
    """The file of a certificate for 127.0.0.1 that no authority has signed, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    kept = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "own.pem"
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + kept)
    return file


@contextmanager
def pretender(folder):
    """The port of a server that offers STARTTLS with a certificate of its own, and the lines that it heard, the encrypted ones too."""
    heard: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(folder))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            connection = self.request
            connection.sendall(b"220 here\r\n")
            try:
                while line := connection.recv(4096):
                    heard.append(line)
                    if line.upper().startswith(b"STARTTLS"):
                        connection.sendall(b"220 go on\r\n")
                        connection = context.wrap_socket(connection, server_side=True)
                    elif line.upper().startswith(b"EHLO"):
                        connection.sendall(b"250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")
                    else:
                        connection.sendall(b"250 ok\r\n")
            except OSError:  # the client hung up, which is right
                pass
            finally:
                connection.close()

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.spec("NOTE-5")
def test_no_password_goes_to_a_server_that_cannot_show_who_it_is(tmp_path):
    """The certificate is verified before the login: the pretender hears the wish to encrypt, and then neither a password nor a mail."""
    db = InMemoryDb()
    Workflow("payout", [Step("pay", lambda _: "paid", requires_confirmation=True)], db).run("x")
    with pretender(tmp_path) as (port, heard):
        channel = Mail("127.0.0.1", port, sender="r@a.example", to=lambda _: ["ada@a.example"], starttls=True, login=("u", "pass"))
        [row] = db.pauses(PauseFilter())
        [notice] = calls(row, row.pause.opened, None)
        [recipient] = channel.recipients(notice)
        with pytest.raises(ssl.SSLCertVerificationError):
            channel.send(notice, recipient, None)
    assert [line.split()[0].upper() for line in heard] == [b"EHLO", b"STARTTLS"]
