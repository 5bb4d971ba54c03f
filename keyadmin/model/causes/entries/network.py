"""Causes: no answer of Google's came back."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CauseEntry, Variant, do, google_says, run, says

NETWORK_UNREACHABLE: Final = CauseEntry(
    Cause.NETWORK_UNREACHABLE,
    "The network did not let the call through",
    "No answer of Google's came back: no connection, no reply in time, or a page of something on the way (a proxy, a "
    "firewall, a "
    "login page of a guest network). It says nothing about keys, permissions or projects.",
    (
        run("keyadmin doctor --connection", "proxy, certificates, clock, and which hosts can be reached"),
        do(
            "behind a proxy: set HTTPS_PROXY (and NO_PROXY) for the program too (Node's fetch has to be told in the "
            "program); ask "
            "whoever runs the network to let *.googleapis.com through, port 443, HTTP/2 included"
        ),
        do(
            "CERTIFICATE_VERIFY_FAILED, self-signed: name your network's certificate authority in SSL_CERT_FILE "
            "(REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS); where Google is blocked, call from a network where it is not"
        ),
    ),
    "https://cloud.google.com/vpc/docs/configure-private-google-access",
    variants={
        "slow": Variant(
            (
                do("give the client a longer timeout (a model may think for minutes), or let it stream the answer"),
                do("ask for less at once: a shorter prompt, fewer files; then try again"),
                run(
                    "keyadmin doctor --connection",
                    "it stays, with short prompts too: proxy, clock, and which hosts can be reached",
                ),
            ),
            "The connection stood, but no answer came within the client's own time limit.",
        )
    },
    patterns=(
        *says(
            68,
            "getaddrinfo * googleapis.com",
            "authorization code for tokens: request to https://",
            "googleapis.com: connection refused",
            "failed to connect to all addresses",
            "error fetching from https://generativelanguage.googleapis.com * failed to fetch",
            "error fetching from https://generativelanguage.googleapis.com * fetch failed",
            "error fetching from https://generativelanguage.googleapis.com * load failed",
            "httpsconnectionpool(host='generativelanguage.googleapis.com'",
            "httpsconnectionpool(host='oauth2.googleapis.com'",
            "cannot connect to host generativelanguage.googleapis.com",
            "unable to find the server at",
            "auth/network-request-failed",
            "unknownhostexception metadata",
            "unknownhostexception: metadata",
        ),
        *google_says(66, "connecttimeouterror", "(execution expired)", "client.timeout exceeded while awaiting headers"),
        *google_says(
            68,
            "getaddrinfo",
            " enotfound",
            "'enotfound",
            '"enotfound',
            "econnrefused",
            "econnreset",
            "etimedout",
            "err_name_not_resolved",
            "fetch failed",
            "typeerror: failed to fetch",
            "typeerror: load failed",
            "failed, reason:",
            "error sending request for url (https://",
            "the connection errored",
            "dial tcp",
            "connectex:",
            "eai_again",
            "curl error 6:",
            "curl error 7:",
            "curl error 28:",
            "curl: (6)",
            "curl: (7)",
            "curl: (28)",
            "socketexception:",
            "unexpected_eof_while_reading",
            "err_connection_",
            "err_tunnel_connection_failed",
            "remote end closed connection without response",
            "und_err_connect_timeout",
            "connect timeout error",
            "certificate_verify_failed",
            "certificate verify failed",
            "unable to get local issuer certificate",
            "self-signed certificate in certificate chain",
            "default ca certificates failed to verify",
            "self signed certificate in certificate chain",
            "name or service not known",
            "temporary failure in name resolution",
            "no such host",
            "could not resolve host",
            "dns resolution failed",
            "connection refused",
            "network is unreachable",
            "connection reset by peer",
            "max retries exceeded with url",
            "connecttimeout",
            "connection timed out",
            "i/o timeout",
            "tls handshake timeout",
            "failed host lookup",
            "unknownhostexception",
            "socket hang up",
            "proxyerror",
            "cannot connect to proxy",
            "client network socket disconnected before secure tls",
            "x509: certificate signed by unknown authority",
            "sslhandshakeexception",
            "all connection attempts failed",
            "sockettimeoutexception",
            "read timed out",
            "connect timed out",
            "readtimeouterror",
        ),
    ),
    passing=True,
    unanswered=True,
)

ENTRIES: Final = (NETWORK_UNREACHABLE,)
