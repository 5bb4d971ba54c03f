"""Causes: no answer of Google's came back."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CauseEntry, Variant, do, google_says, run, says

NETWORK_UNREACHABLE: Final = CauseEntry(
    Cause.NETWORK_UNREACHABLE,
    "The network did not let the call through",
    "No answer of Google's came back: no connection, no reply in time, or a page of something on the way (a proxy, a "
    "firewall, a login page of a guest network). It says nothing about keys, permissions or projects.",
    (
        run("keyadmin doctor --connection", "proxy, certificates, clock, and which hosts can be reached"),
        do(
            "behind a proxy: set HTTPS_PROXY (and NO_PROXY) for the program too (Node's fetch has to be told in the "
            "program); ask whoever runs the network to let *.googleapis.com through, port 443, HTTP/2 included"
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
        ),
        "authorities": Variant(
            (
                do(
                    "a container, or an old system: install its certificate authorities (apt-get install ca-certificates; "
                    "apk add ca-certificates), PHP: curl.cainfo and openssl.cafile in php.ini to a current cacert.pem; "
                    "update old ones"
                ),
                do(
                    "a network that looks into TLS (a company's): name its certificate authority in SSL_CERT_FILE "
                    "(REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, JAVA: its truststore)"
                ),
                run("keyadmin doctor --connection", "shows whose certificate comes back from Google's hosts here"),
            ),
            "The program does not trust the certificate that it was shown: it lacks the authorities, or something on the "
            "way shows its own.",
        ),
        "passing": Variant(
            (
                do("try again, with a pause that doubles: most of these pass; with fewer calls at once"),
                run("keyadmin doctor --connection", "it stays: proxy, certificates, clock, and which hosts can be reached"),
                do("a relay or proxy in between (its own address is in the settings): its operator looks at the way to Google"),
            ),
            "The connection was cut off or timed out before Google's answer came.",
        ),
        # https://cloud.google.com/compute/docs/metadata/querying-metadata
        "metadata": Variant(
            (
                do(
                    "leave the metadata server out of the proxy: NO_PROXY=metadata.google.internal,169.254.169.254 for "
                    "the program (gcloud: gcloud config unset proxy/address, or the same variable)"
                ),
                run(
                    "curl -H Metadata-Flavor:Google http://metadata.google.internal/computeMetadata/v1/instance/id",
                    "answers on a machine of Google's",
                ),
                do("not on Google's machines: give the program other credentials (gcloud auth application-default login)"),
            ),
            "The machine's metadata server, which gives its credentials, was asked by way of a proxy or could not be reached.",
        ),
    },
    patterns=(
        *says(31, "from the google compute engine metadata service * <!doctype html>"),
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
            "connection timeout to host https:// * googleapis.com",
            "error fetching access token: error while making request",  # firebase-admin
            "exception typeerror: fetch failed sending request",  # google-genai for Node.js
            "googleapis.com/ * : eof",
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
            "curl error 35:",
            "pkix path building failed",
            "resolving timed out after",
            "timeout was reached: [",
            "curl error 56:",
            "curl error 60:",
            "ssl certificate problem",
            "ssl_error_syscall",
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
