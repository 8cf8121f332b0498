"""Who may use each address? Reviewed by hand: a new one fails until it is."""

import re
import uuid
from collections.abc import Iterator, Sequence

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

ROLES = {"m": "marketer", "o": "officer", "a": "auditor", "d": "administrator"}
PUBLIC, API, ALLAUTH, CONSOLE = "public", "api", "allauth", "oad"
NOBODY = ""

# Who may: the letters of ROLES. An officer never sends; an auditor never changes; only an
# administrator lets partners in or touches connections.
TABLE = {
    "": PUBLIC,
    "limits/": PUBLIC,
    "livez": PUBLIC,
    "readyz": PUBLIC,
    "partners/": "d",
    "partners/<uuid:partner_id>/": "d",
    "partners/<uuid:partner_id>/switch/": "d",
    "partners/clients/<str:client_id>/revoke/": "d",
    "identity/o/api/token": PUBLIC,
    "identity/o/api/revoke": PUBLIC,
    # A recipient has no account: the unguessable part of the address is what lets them in.
    "v/<str:token>": PUBLIC,
    "v/<str:token>/play": PUBLIC,
    "v/<str:token>/watch": PUBLIC,
    "v/<str:token>/stop": PUBLIC,
    "v/<str:token>/code": PUBLIC,
    "v/<str:token>/report": PUBLIC,
    "v/<str:token>/receipt": PUBLIC,
    "watch/<str:link_name>/video.mp4": PUBLIC,
    "watch/<str:link_name>/captions.vtt": PUBLIC,
    "join/asked": PUBLIC,
    "join/confirmed": PUBLIC,
    "join/confirmed/<str:token>": PUBLIC,
    "join/f/<slug:slug>": PUBLIC,
    "join/f/<slug:slug>/embed": PUBLIC,
    "join/f/<slug:slug>/embed/asked": PUBLIC,
    "choices/<str:token>": PUBLIC,
    "choices/<str:token>/stop": PUBLIC,
    "choices/<str:token>/allow": PUBLIC,
    "choices/<str:token>/allow/<slug:purpose>/<slug:channel>": PUBLIC,
    "choices/<str:token>/receipt": PUBLIC,
    "choices/<str:token>/receipt.json": PUBLIC,
    "join/confirm/<str:token>": PUBLIC,
    "join/one-click/<str:token>": PUBLIC,
    ".well-known/gpc.json": PUBLIC,
    "join/<slug:code>": PUBLIC,
    "hooks/<str:secret>/": PUBLIC,
    "campaigns/": "moad",
    "campaigns/new/": "md",
    "campaigns/<uuid:campaign_id>/": "moad",
    "campaigns/<uuid:campaign_id>/settings/": "md",
    "campaigns/<uuid:campaign_id>/script/": "md",
    "campaigns/<uuid:campaign_id>/script/look/": "md",
    "campaigns/<uuid:campaign_id>/content/": "md",
    "campaigns/<uuid:campaign_id>/presenter/": "md",
    "campaigns/<uuid:campaign_id>/upload/": "md",
    "campaigns/<uuid:campaign_id>/upload/take-back/": "md",
    "campaigns/<uuid:campaign_id>/audience/": "md",
    "campaigns/<uuid:campaign_id>/fallbacks/": "md",
    "campaigns/<uuid:campaign_id>/preview/": "md",
    "campaigns/<uuid:campaign_id>/preview/prepare/": "md",
    "campaigns/<uuid:campaign_id>/preview/choose/": "md",
    "campaigns/<uuid:campaign_id>/preview/<uuid:asset_id>/video.mp4": "md",
    "campaigns/<uuid:campaign_id>/preview/<uuid:asset_id>/captions.vtt": "md",
    "campaigns/<uuid:campaign_id>/checks/": "moad",
    "campaigns/<uuid:campaign_id>/send/": "md",
    "campaigns/<uuid:campaign_id>/live/": "moad",
    "campaigns/<uuid:campaign_id>/live/part/": "moad",
    "campaigns/<uuid:campaign_id>/live/results/": "moad",
    "campaigns/<uuid:campaign_id>/pause/": "md",
    "campaigns/<uuid:campaign_id>/resume/": "md",
    "campaigns/<uuid:campaign_id>/retry/": "md",
    "campaigns/<uuid:campaign_id>/cancel/": "md",
    "campaigns/<uuid:campaign_id>/links/end/": "mod",
    "contacts/": "moad",
    "contacts/search": "moad",
    "contacts/evidence/": "mod",
    "contacts/imports/": "mod",
    "contacts/imports/<uuid:batch_id>": "mod",
    "contacts/imports/<uuid:batch_id>/progress": "mod",
    "contacts/imports/<uuid:batch_id>/commit": "mod",
    "contacts/imports/<uuid:batch_id>/discard": "mod",
    "contacts/imports/<uuid:batch_id>/problems.csv": "mod",
    "contacts/<uuid:contact_id>": "moad",
    "contacts/<uuid:contact_id>/ask": "mod",
    "forms/": "moad",
    "forms/new/": "md",
    "forms/<uuid:form_id>/": "moad",
    "forms/<uuid:form_id>/edit/": "md",
    "forms/<uuid:form_id>/preview/": "moad",
    "forms/<uuid:form_id>/publish/": "md",
    "forms/<uuid:form_id>/close/": "md",
    "connections/": "moad",
    "connections/<uuid:connection_id>/test/": "d",
    "connections/<uuid:connection_id>/switch/": "d",
    "connections/<slug:slug>/connect/": "d",
    "connections/<slug:slug>/return/": "d",
    "connections/<slug:slug>/disconnect/": "d",
    "connections/add/<slug:provider>/": "d",
    "connections/<uuid:connection_id>/keys/": "d",
    "connections/<uuid:connection_id>/fields/": "d",
    "connections/<uuid:connection_id>/sync/": "mod",
    "connections/<uuid:connection_id>/reading/": "moad",
    "connections/<uuid:connection_id>/templates/": "moad",
    "connections/<uuid:connection_id>/templates/part/": "moad",
    "connections/<uuid:connection_id>/templates/refresh/": "mod",
    "phones/": "mod",
    "phones/news/": "mod",
    "phones/reply/": "mod",
    "api/v1/openapi.json": PUBLIC,
    "api/v1/docs/": PUBLIC,
    "api/v1/problems/": PUBLIC,
    "api/v1/me": API,
    "api/v1/contacts": API,
    "api/v1/contacts/<str:contact_name>": API,
    "api/v1/contacts/<str:contact_name>/consent-record": API,
    "api/v1/consents": API,
    "api/v1/consents/forms": API,
    "api/v1/consents/withdraw": API,
    "api/v1/campaigns": API,
    "api/v1/campaigns/<str:campaign_name>": API,
    "api/v1/campaigns/<str:campaign_name>/content": API,
    "api/v1/campaigns/<str:campaign_name>/video": API,
    "api/v1/messages": API,
    "api/v1/messages/<str:message_name>": API,
    "api/v1/links/<str:link_name>/revoke": API,
    "admin/": CONSOLE,
    "admin/promises/": CONSOLE,
    "admin/promises/verify/": CONSOLE,
    "admin/promises/<uuid:report_id>/": CONSOLE,
    "admin/trail/": CONSOLE,
    "admin/trail/seal/": CONSOLE,
    "admin/person/": CONSOLE,
    "admin/person/<str:public_id>/": CONSOLE,
    "admin/person/<str:public_id>/reveal/": "od",
    "admin/person/<str:public_id>/withdraw/": "od",
    "admin/person/<str:public_id>/links/end/": "od",
    "admin/person/<str:public_id>/hold/": "od",
    "admin/person/<str:public_id>/prove/": "od",
    "admin/person/<str:public_id>/ask/": "od",
    "admin/person/<str:public_id>/erase/": "od",
    "admin/person/<str:public_id>/export/": "od",
    "admin/person/<str:public_id>/may-we-write/": CONSOLE,
    "admin/person/<str:public_id>/enter-consent/": "od",
    "admin/person/<str:public_id>/proofs/<uuid:proof_id>/": "od",
    "admin/may-we-write/": CONSOLE,
    "admin/growth/": CONSOLE,
    "admin/growth/figures.csv": CONSOLE,
    "admin/answers/": CONSOLE,
    "admin/answers/events/<int:item_id>/set-aside/": "od",
    "admin/answers/<uuid:review_id>/words/": "od",
    "admin/answers/<uuid:review_id>/decide/": "od",
    "admin/stops/": CONSOLE,
    "admin/crms/": CONSOLE,
    "admin/crms/<uuid:writeback_id>/retry/": "od",
    "admin/unanswered/": CONSOLE,
    "admin/unanswered/<uuid:message_id>/settle/": "od",
    "admin/another-law/": CONSOLE,
    "admin/another-law/<uuid:report_id>/": CONSOLE,
    "admin/purposes/": CONSOLE,
    "admin/policies/": CONSOLE,
    "admin/policies/<slug:record_class>/": "od",
    "admin/runs/": CONSOLE,
    "admin/runs/plan/": "od",
    "admin/runs/<uuid:run_id>/": CONSOLE,
    "admin/runs/<uuid:run_id>/execute/": "od",
    "admin/holds/": CONSOLE,
    "admin/holds/<uuid:hold_id>/release/": "od",
    "admin/incidents/": CONSOLE,
    "admin/incidents/<uuid:incident_id>/close/": "od",
    "admin/requests/": CONSOLE,
    "admin/requests/<uuid:request_id>/close/": "od",
    "admin/presenters/": CONSOLE,
    "admin/presenters/record/": "od",
    "admin/presenters/<uuid:release_id>/revoke/": "od",
    "admin/presenters/<uuid:release_id>/erase/": "od",
    "admin/presenters/<uuid:release_id>/export/": "od",
    "admin/vendors/": CONSOLE,
    "admin/vendors/agreements/": "od",
    "admin/vendors/agreements/<uuid:agreement_id>/end/": "od",
    "admin/vendors/<uuid:connection_id>/seen/": "od",
    "admin/disclosures/": CONSOLE,
    "admin/person/<str:public_id>/disclosures.csv": "od",
    "admin/certificates/": CONSOLE,
    "admin/certificates/<int:number>/": CONSOLE,
    # Django's own pages of the console.
    "admin/login/": CONSOLE,
    "admin/logout/": PUBLIC,
    "admin/password_change/": CONSOLE,
    "admin/password_change/done/": CONSOLE,
    # No form of ours completes from a list of rows.
    "admin/autocomplete/": NOBODY,
    "admin/jsi18n/": CONSOLE,
    "admin/r/<path:content_type_id>/<path:object_id>/": CONSOLE,
}
# Lists of rows in the console: most are for all who may enter it.
LISTS = {"accounts/user": "d"}
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
FILLED = {
    "uuid": str(uuid.UUID(int=0)),
    "int": "0",
    "slug": "nothing",
    "str": "x" * 43,
    "path": "0",
}


def routes(patterns: Sequence[object] | None = None, prefix: str = "") -> Iterator[str]:
    """Yield every address of the application, as its pattern."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, prefix + str(item.pattern))
        elif isinstance(item, URLPattern):
            yield prefix + str(item.pattern)


def who(route: str) -> str | None:
    """Return who may use an address; None when nobody has reviewed it."""
    if route in TABLE:
        return TABLE[route]
    if route.startswith("accounts/"):
        return ALLAUTH
    for model in admin.site._registry:
        place = f"{model._meta.app_label}/{model._meta.model_name}"
        if route.startswith(f"admin/{place}/"):
            changing = route.endswith(("/add/", "/delete/"))
            return NOBODY if changing else LISTS.get(place, CONSOLE)
    return None


def address(route: str, **values: object) -> str:
    """Fill a pattern: with the values given, else with ids of nothing."""

    def fill(found: re.Match[str]) -> str:
        return str(values.get(found[2], FILLED[found[1] or "str"]))

    return "/" + PARAMETER.sub(fill, route)
