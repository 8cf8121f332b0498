"""The officer's pages beside the admin."""

from django.urls import path

from retention.views import (
    dashboard,
    erasure,
    growth,
    may_write,
    people,
    policies,
    promises,
    replay,
    runs,
)

app_name = "console"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("promises/", promises.promises, name="promises"),
    path("promises/verify/", promises.verify, name="verify"),
    path("promises/<uuid:report_id>/", promises.report, name="report"),
    path("trail/", promises.trail, name="trail"),
    path("trail/seal/", promises.seal, name="seal"),
    path("person/", people.search, name="people"),
    path("person/<str:public_id>/", people.person, name="person"),
    path("person/<str:public_id>/reveal/", people.reveal, name="reveal"),
    path("person/<str:public_id>/withdraw/", people.withdraw, name="withdraw"),
    path("person/<str:public_id>/hold/", people.hold, name="hold"),
    path("person/<str:public_id>/prove/", people.prove, name="prove"),
    path("person/<str:public_id>/ask/", erasure.ask, name="ask"),
    path("person/<str:public_id>/erase/", erasure.erase, name="erase"),
    path("person/<str:public_id>/export/", erasure.export, name="export"),
    path("person/<str:public_id>/may-we-write/", may_write.answer, name="answer"),
    path("may-we-write/", may_write.may_write, name="may_write"),
    path("growth/", growth.growth, name="growth"),
    path("growth/figures.csv", growth.growth_csv, name="growth_csv"),
    path("another-law/", replay.replay, name="replay"),
    path("policies/", policies.policy_list, name="policies"),
    path("policies/<slug:record_class>/", policies.policy_change, name="policy"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/plan/", runs.run_plan, name="run_plan"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/execute/", runs.run_execute, name="run_execute"),
    path("holds/", runs.hold_list, name="holds"),
    path("holds/<uuid:hold_id>/release/", runs.hold_release, name="hold_release"),
    path("requests/", runs.request_list, name="requests"),
    path("requests/<uuid:request_id>/close/", runs.request_close, name="request_close"),
    path("incidents/", runs.incident_list, name="incidents"),
    path("incidents/<uuid:incident_id>/close/", runs.incident_close, name="incident_close"),
    path("certificates/", runs.certificate_list, name="certificates"),
    path("certificates/<int:number>/", runs.certificate, name="certificate"),
]
