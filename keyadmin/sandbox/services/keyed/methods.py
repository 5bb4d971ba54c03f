"""The methods, by API: service, name of the API's interface, title, and each method with its REST paths and its answer.

Paths are Google's own (documentation of each API). Names of methods are those that errors of the kind "Requests to this API X
method Y are blocked." showed in public threads for Translation, YouTube, Custom Search and Places; those of Cloud APIs are the
published protobuf's; the names for the older Maps services are unsourced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyedMethod:
    """One method. `answer` = what is answered, whatever is asked."""

    name: str  # SearchText
    routes: tuple[str, ...]
    answer: Any  # JSON, or a text that is sent as it is


@dataclass(frozen=True, slots=True)
class KeyedApi:
    """One API. `maps`: refusals come as `{"status": "REQUEST_DENIED"}` with HTTP 200, as the older Maps services write them."""

    service: str  # places.googleapis.com
    interface: str  # google.maps.places.v1.Places
    title: str
    methods: tuple[KeyedMethod, ...]
    maps: bool = False


_PLACE: Json = {"id": "sandbox", "formattedAddress": "Sandbox", "displayName": {"text": "Sandbox", "languageCode": "en"}}
_POINT: Json = {"lat": 0, "lng": 0}
_YOUTUBE: Json = {"pageInfo": {"totalResults": 0, "resultsPerPage": 0}, "items": []}
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _maps(service: str, title: str, name: str, path: str, answer: Any) -> KeyedApi:
    """One of the older Maps services: one method below /maps/api."""
    routes = (
        (f"GET /maps/api/{path}/json", f"GET /maps/api/{path}/xml") if isinstance(answer, dict) else (f"GET /maps/api/{path}",)
    )
    return KeyedApi(service, f"google.maps.{name}", title, (KeyedMethod("Get", routes, answer),), maps=True)


def _youtube(resource: str, kind: str) -> KeyedMethod:
    name = f"V3Data{kind[0].upper()}{kind[1:]}Service.List"
    answer = {"kind": f"youtube#{kind}ListResponse", "etag": "sandbox"} | _YOUTUBE
    return KeyedMethod(name, (f"GET /youtube/v3/{resource}",), answer)


_YOUTUBE_KINDS = {
    "search": "search",
    "videos": "video",
    "channels": "channel",
    "playlists": "playlist",
    "playlistItems": "playlistItem",
    "commentThreads": "commentThread",
    "comments": "comment",
    "videoCategories": "videoCategory",
}
APIS: tuple[KeyedApi, ...] = (
    _maps("maps-backend.googleapis.com", "Maps JavaScript API", "JavaScript", "js", "/* The sandbox has no maps. */\n"),
    _maps(
        "geocoding-backend.googleapis.com",
        "Geocoding API",
        "Geocoding",
        "geocode",
        {
            "results": [{"formatted_address": "Sandbox", "geometry": {"location": _POINT}, "place_id": "sandbox", "types": []}],
            "status": "OK",
        },
    ),
    _maps(
        "directions-backend.googleapis.com",
        "Directions API",
        "Directions",
        "directions",
        {"geocoded_waypoints": [], "routes": [], "status": "OK"},
    ),
    _maps(
        "distance-matrix-backend.googleapis.com",
        "Distance Matrix API",
        "DistanceMatrix",
        "distancematrix",
        {"destination_addresses": [], "origin_addresses": [], "rows": [], "status": "OK"},
    ),
    _maps("elevation-backend.googleapis.com", "Elevation API", "Elevation", "elevation", {"results": [], "status": "OK"}),
    _maps(
        "timezone-backend.googleapis.com",
        "Time Zone API",
        "TimeZone",
        "timezone",
        {"dstOffset": 0, "rawOffset": 0, "status": "OK", "timeZoneId": "Etc/UTC", "timeZoneName": "Coordinated Universal Time"},
    ),
    KeyedApi(
        "places-backend.googleapis.com",
        "google.maps.Places",
        "Places API",
        (KeyedMethod("Get", ("GET /maps/api/place/{path=**}",), {"html_attributions": [], "results": [], "status": "OK"}),),
        maps=True,
    ),
    _maps("static-maps-backend.googleapis.com", "Maps Static API", "StaticMap", "staticmap", f"base64:image/png:{_PIXEL}"),
    _maps(
        "street-view-image-backend.googleapis.com",
        "Street View Static API",
        "StreetView",
        "streetview",
        f"base64:image/png:{_PIXEL}",
    ),
    KeyedApi(
        "geolocation.googleapis.com",
        "google.maps.Geolocation",
        "Geolocation API",
        (KeyedMethod("Geolocate", ("POST /geolocation/v1/geolocate",), {"location": _POINT, "accuracy": 1000}),),
    ),
    KeyedApi(
        "places.googleapis.com",
        "google.maps.places.v1.Places",
        "Places API (New)",
        (
            KeyedMethod("SearchText", ("POST /v1/places:searchText",), {"places": [_PLACE]}),
            KeyedMethod("SearchNearby", ("POST /v1/places:searchNearby",), {"places": [_PLACE]}),
            KeyedMethod("AutocompletePlaces", ("POST /v1/places:autocomplete",), {"suggestions": []}),
            KeyedMethod("GetPlace", ("GET /v1/places/{place}",), _PLACE),
        ),
    ),
    KeyedApi(
        "routes.googleapis.com",
        "google.maps.routing.v2.Routes",
        "Routes API",
        (
            KeyedMethod("ComputeRoutes", ("POST /directions/v2:computeRoutes",), {"routes": []}),
            KeyedMethod("ComputeRouteMatrix", ("POST /distanceMatrix/v2:computeRouteMatrix",), []),
        ),
    ),
    KeyedApi(
        "translate.googleapis.com",
        "google.cloud.translate.v2.TranslateService",
        "Cloud Translation API",
        (
            KeyedMethod(
                "TranslateText",
                ("GET /language/translate/v2", "POST /language/translate/v2"),
                {"data": {"translations": [{"translatedText": "sandbox", "detectedSourceLanguage": "en"}]}},
            ),
            KeyedMethod(
                "DetectLanguage",
                ("GET /language/translate/v2/detect", "POST /language/translate/v2/detect"),
                {"data": {"detections": [[{"language": "en", "isReliable": False, "confidence": 1}]]}},
            ),
            KeyedMethod(
                "GetSupportedLanguages",
                ("GET /language/translate/v2/languages", "POST /language/translate/v2/languages"),
                {"data": {"languages": [{"language": "de"}, {"language": "en"}]}},
            ),
        ),
    ),
    KeyedApi(
        "youtube.googleapis.com",
        "youtube.api.v3",
        "YouTube Data API v3",
        tuple(_youtube(resource, kind) for resource, kind in _YOUTUBE_KINDS.items()),
    ),
    KeyedApi(
        "vision.googleapis.com",
        "google.cloud.vision.v1.ImageAnnotator",
        "Cloud Vision API",
        (KeyedMethod("BatchAnnotateImages", ("POST /v1/images:annotate",), {"responses": [{}]}),),
    ),
    KeyedApi(
        "language.googleapis.com",
        "google.cloud.language.v1.LanguageService",
        "Cloud Natural Language API",
        tuple(
            KeyedMethod(
                name[0].upper() + name[1:], (f"POST /v1/documents:{name}", f"POST /v2/documents:{name}"), {"language": "en"}
            )
            for name in ("analyzeSentiment", "analyzeEntities", "classifyText", "annotateText")
        ),
    ),
    KeyedApi(
        "texttospeech.googleapis.com",
        "google.cloud.texttospeech.v1.TextToSpeech",
        "Cloud Text-to-Speech API",
        (
            KeyedMethod("SynthesizeSpeech", ("POST /v1/text:synthesize",), {"audioContent": ""}),
            KeyedMethod("ListVoices", ("GET /v1/voices",), {"voices": []}),
        ),
    ),
    KeyedApi(
        "speech.googleapis.com",
        "google.cloud.speech.v1.Speech",
        "Cloud Speech-to-Text API",
        (KeyedMethod("Recognize", ("POST /v1/speech:recognize",), {"results": [], "totalBilledTime": "0s"}),),
    ),
    KeyedApi(
        "customsearch.googleapis.com",
        "google.customsearch.v1.CustomSearchService",
        "Custom Search API",
        (KeyedMethod("List", ("GET /customsearch/v1",), {"kind": "customsearch#search", "items": []}),),
    ),
    KeyedApi(
        "safebrowsing.googleapis.com",
        "google.security.safebrowsing.v4.SafeBrowsing",
        "Safe Browsing API",
        (KeyedMethod("FindThreatMatches", ("POST /v4/threatMatches:find",), {}),),
    ),
    KeyedApi(
        "pagespeedonline.googleapis.com",
        "google.pagespeedonline.v5.PagespeedonlineService",
        "PageSpeed Insights API",
        (KeyedMethod("RunPagespeed", ("GET /pagespeedonline/v5/runPagespeed",), {"kind": "pagespeedonline#result"}),),
    ),
    KeyedApi(
        "webfonts.googleapis.com",
        "google.fonts.developer.v1.Webfonts",
        "Web Fonts Developer API",
        (KeyedMethod("List", ("GET /webfonts/v1/webfonts",), {"kind": "webfonts#webfontList", "items": []}),),
    ),
    KeyedApi(
        "books.googleapis.com",
        "google.books.v1.Volumes",
        "Books API",
        (KeyedMethod("List", ("GET /books/v1/volumes",), {"kind": "books#volumes", "totalItems": 0}),),
    ),
    KeyedApi(
        "identitytoolkit.googleapis.com",
        "google.cloud.identitytoolkit.v1.AuthenticationService",
        "Identity Toolkit API",
        (
            KeyedMethod(
                "SignUp", ("POST /v1/accounts:signUp",), {"kind": "identitytoolkit#SignupNewUserResponse", "localId": "sandbox"}
            ),
            KeyedMethod(
                "SignInWithPassword",
                ("POST /v1/accounts:signInWithPassword",),
                {"kind": "identitytoolkit#VerifyPasswordResponse", "localId": "sandbox"},
            ),
        ),
    ),
)
