"""The officer's pages beside the admin."""

from django.urls import path

from retention.views import dashboard, erasure, people, policies, presenters, promises, runs

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
    path("presenters/", presenters.release_list, name="presenters"),
    path("presenters/record/", presenters.record, name="release_record"),
    path("presenters/<uuid:release_id>/revoke/", presenters.revoke, name="release_revoke"),
    path("presenters/<uuid:release_id>/erase/", presenters.erase, name="release_erase"),
    path("presenters/<uuid:release_id>/export/", presenters.export, name="release_export"),
    path("certificates/", runs.certificate_list, name="certificates"),
    path("certificates/<int:number>/", runs.certificate, name="certificate"),
]
