"""What people may write for a key, and what is refused before any call."""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.keys import services, validate
from keyadmin.model.key import GEMINI, AndroidApp, ApiTarget, Restrictions
from keyadmin.model.problem import Exit, Problem

SHA1 = "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09"


def refused(call, *args, **kwargs) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    assert caught.value.exit is Exit.USAGE
    return caught.value


def test_display_name_counts_characters_not_bytes():
    assert validate.display_name("é" * 63) == "é" * 63
    assert "64 characters" in refused(validate.display_name, "a" * 64).message


@pytest.mark.parametrize("bad", ["", "  ", "two\nlines", "bell\x07"])
def test_display_name_refused(bad):
    refused(validate.display_name, bad)


@pytest.mark.parametrize("good", ["a", "a" * 63, "my-key", "k8s-prod-1", "a--b"])
def test_key_id_accepted(good):
    assert validate.key_id(good) == good
    assert validate.looks_like_key_id(good)


@pytest.mark.parametrize(
    "bad",
    ["", "1abc", "-abc", "abc-", "Abc", "a_b", "a" * 64, "a.b", "ä", "abc\n", "b7ff1f9f-8275-410a-94dd-3855ee9b5dd2"],
)
def test_key_id_refused(bad):
    refused(validate.key_id, bad)


def test_a_uuid_is_a_key_id_when_looking_for_a_key():
    assert validate.looks_like_key_id("07ff1f9f-8275-410a-94dd-3855ee9b5dd2")
    assert not validate.looks_like_key_id("My key")


@given(st.text(alphabet=string.ascii_lowercase + string.digits + "-", min_size=1, max_size=70))
def test_key_id_follows_the_api_rule(text):
    ok = len(text) <= 63 and text[0] in string.ascii_lowercase and text[-1] != "-"
    if ok:
        assert validate.key_id(text) == text
    else:
        refused(validate.key_id, text)


def test_services():
    assert validate.service("Translate.googleapis.com") == "translate.googleapis.com"
    assert validate.service("my-api.endpoints.my-project.cloud.goog").endswith(".cloud.goog")
    assert validate.service("brandnew.googleapis.com", allow_unknown=True) == "brandnew.googleapis.com"
    assert GEMINI in services.known()
    assert {"maps-backend.googleapis.com", "cloudapis.googleapis.com", "apikeys.googleapis.com"} <= services.known()


@pytest.mark.parametrize(
    ("bad", "meant"),
    [
        ("translate", "translate.googleapis.com"),
        ("generativelangauge.googleapis.com", GEMINI),
        ("tranlsate", "translate.googleapis.com"),
        ("nosuch.googleapis.com", None),
        ("nosuchthing.example", None),
        ("", None),
    ],
)
def test_unknown_service_says_what_was_meant(bad, meant):
    fixes = " ".join(refused(validate.service, bad).fix)
    assert (meant in fixes) if meant else ("did you mean" not in fixes)


def test_an_unknown_word_is_refused_even_where_unknown_services_are_allowed():
    refused(validate.service, "nonsense", allow_unknown=True)


def test_api_targets():
    assert validate.api_target("translate.googleapis.com:Get*,TranslateText") == ApiTarget(
        "translate.googleapis.com", ("Get*", "TranslateText")
    )
    assert validate.api_targets(["translate.googleapis.com:A", GEMINI, "translate.googleapis.com:B,A"]) == (
        ApiTarget("translate.googleapis.com", ("A", "B")),
        ApiTarget(GEMINI),
    )


@pytest.mark.parametrize("bad", [f"{GEMINI}:", f"{GEMINI}:a,,b", f"{GEMINI}:a*b", f"{GEMINI}:a b"])
def test_bad_methods(bad):
    refused(validate.api_target, bad)


def test_targets_that_contradict_each_other():
    refused(validate.api_targets, [GEMINI, f"{GEMINI}:Get*"])
    refused(validate.api_targets, ["cloudapis.googleapis.com", GEMINI])


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8::/64", "2001:db8::/64"),
    ],
)
def test_ip_ranges(given_, kept):
    assert validate.ip_range(given_) == kept


@pytest.mark.parametrize(
    "bad", ["", "300.1.1.1", "192.0.2.0/33", "1.2.3", "fe80::1%eth0", "example.com", "1.2.3.4/", "192.0.2.1-192.0.2.9"]
)
def test_bad_ip_ranges(bad):
    refused(validate.ip_range, bad)


def test_host_bits_are_refused_with_the_network_meant():
    assert "192.0.2.0/24" in refused(validate.ip_range, "192.0.2.9/24").fix[0]


@given(
    st.one_of(
        st.ip_addresses().map(str), st.ip_addresses(v=4).map(lambda a: str(ipaddress.ip_network(f"{a}/20", strict=False)))
    )
)
def test_every_address_is_accepted(text):
    assert validate.ip_range(text) == text


@pytest.mark.parametrize(
    "good",
    [
        "*",
        "*.example.com",
        "*.example.com/*",
        "*example.com/*",
        "https://www.example.com/path/*",
        "http://localhost:8080/*",
        "localhost",
        "192.0.2.1/*",
        "[2001:db8::1]:80/*",
        "example.com:*/a",
        "__file_url__//path/to/*",
        "my_host.example",
    ],
)
def test_referrers(good):
    assert validate.referrer(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "https://",
        "two words",
        "exa mple.com",
        "a.com/b c",
        "http://a.com?x=1",
        "a.com#f",
        "ht!tp://a.com",
        "/path",
        "a.com:port",
    ],
)
def test_bad_referrers(bad):
    refused(validate.referrer, bad)


def test_other_schemes_have_a_form_of_their_own():
    assert "__capacitor_url__//localhost/*" in refused(validate.referrer, "capacitor://localhost/*").fix[0]


def test_android_fingerprints_lose_their_colons():
    app = AndroidApp(SHA1.replace(":", ""), "com.example.app")
    assert validate.android_app(f"com.example.app={SHA1}") == app
    assert validate.android_app(f"com.example.app={SHA1.replace(':', '').lower()}") == app


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "com.example.app",
        f"noapp={SHA1}",
        f"com.1x.app={SHA1}",
        "com.example.app=12:34",
        f"com.example.app={SHA1}:00",
        "com.example.app=" + "g" * 40,
        "com.example.app=" + "DA39:" * 10,
    ],
)
def test_bad_android_apps(bad):
    refused(validate.android_app, bad)


@pytest.mark.parametrize("bad", ["", "a b", "com..example", ".com", "com.", "com.exa_mple", "com/example"])
def test_bad_bundle_ids(bad):
    refused(validate.ios_bundle, bad)


def test_bundle_ids():
    assert validate.ios_bundle("com.example.my-app2") == "com.example.my-app2"


def test_annotations():
    assert validate.annotation_map(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("bad", [["a"], ["=1"], [" =1"], ["a=1", "a=2"]])
def test_bad_annotations(bad):
    refused(validate.annotation_map, bad)


@pytest.mark.parametrize(
    "good",
    [
        "keyadmin-gemini@demo-project.iam.gserviceaccount.com",
        "123-compute@developer.gserviceaccount.com",
        "demo@appspot.gserviceaccount.com",
        "a@proj.example.com.iam.gserviceaccount.com",
    ],
)
def test_service_accounts(good):
    assert validate.service_account(good) == good


@pytest.mark.parametrize(
    "bad", ["", "owner@example.com", "keyadmin-gemini", "a b@x.iam.gserviceaccount.com", "x@evil-gserviceaccount.com.example"]
)
def test_bad_service_accounts(bad):
    refused(validate.service_account, bad)


def test_two_client_kinds_are_refused():
    problem = refused(validate.restrictions, ips=["192.0.2.1"], ios=["com.example"])
    assert "--allowed-ips and --allowed-ios" in problem.message


def test_restrictions_split_at_commas_and_drop_repeats():
    assert validate.restrictions([GEMINI], ips=["192.0.2.1,192.0.2.1", "2001:db8::1"]) == Restrictions(
        ips=("192.0.2.1", "2001:db8::1"), targets=(ApiTarget(GEMINI),)
    )
    assert validate.restrictions(android=[f"a.b={SHA1}", f"c.d={SHA1}"]).android == (
        AndroidApp(SHA1.replace(":", ""), "a.b"),
        AndroidApp(SHA1.replace(":", ""), "c.d"),
    )
    assert validate.restrictions() == Restrictions()


def test_an_empty_list_of_clients_is_refused():
    refused(validate.restrictions, ips=[""])
    refused(validate.restrictions, referrers=["a.com,"])


def test_too_many_clients():
    many = ",".join(str(ipaddress.IPv4Address(number)) for number in range(1201))
    assert "1201" in refused(validate.restrictions, ips=[many]).message


@pytest.mark.parametrize("secret", ["AIza" + "x" * 35, "AQ.SANDBOX-" + "y" * 30, "see AIzaSANDBOX" + "z" * 28])
def test_a_key_string_is_refused_and_not_echoed(secret):
    for call in (validate.refuse_key_string, validate.display_name):
        problem = refused(call, secret)
        assert secret[-10:] not in problem.message + " ".join(problem.fix)
