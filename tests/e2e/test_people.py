"""People beside the account: what the services that know them say is collected, told from, and joined; what they refuse is unknown; no secret stays."""
import subprocess

import pytest

from home import FAILS, PASS, UNDECIDED
from people.microsoft import CLIENT, TENANT
from people.microsoft import SECRET as GRAPH_SECRET
from people.standin import SECRETS, Services

ANY = (PASS, FAILS, UNDECIDED)


@pytest.fixture(scope="module")
def server():
    with Services() as services:
        yield services


@pytest.fixture
def services(server):
    server.reset()
    return server


def settings(home, *sources):
    (home.path / "vouch.yaml").write_text("schedule: 1d\nsources:\n  aws: {on: false}\n" + "".join(f"  {one}\n" for one in sources))


def okta(services):
    return f"okta: {{domain: acme.okta.com, endpoint: '{services.endpoint('okta')}', token: {{env: OKTA_TOKEN}}}}"


def new(new_home, services, *sources):
    home = new_home("http://127.0.0.1:1", env={f"{name.upper()}_TOKEN": services.token(name) for name in ("okta", "fleet", "jira", "pagerduty")} | {"GRAPH_SECRET": GRAPH_SECRET})
    home.run("init", code=PASS)
    settings(home, *sources)
    return home


def fleet(services):
    return f"fleet: {{server: fleet.acme.example, endpoint: '{services.endpoint('fleet')}', token: {{env: FLEET_TOKEN}}}}"


def microsoft(services, source):
    there = services.endpoint("microsoft")
    return (f"{source}: {{tenant: {TENANT}, endpoint: '{there}', "
            f"client: {{id: {CLIENT}, secret: {{env: GRAPH_SECRET}}, token url: '{there}/{TENANT}/oauth2/v2.0/token'}}}}")


def jira(services, more=""):
    return f"jira: {{site: acme.atlassian.net, endpoint: '{services.endpoint('jira')}', basic: {{user: vouch@acme.example, password: {{env: JIRA_TOKEN}}}}{more}}}"


def pagerduty(services):
    return f"pagerduty: {{subdomain: acme, endpoint: '{services.endpoint('pagerduty')}', token: {{env: PAGERDUTY_TOKEN}}}}"


def google(services, tmp_path):
    key = services.service_account(tmp_path / "google-key.json")
    return f"google: {{endpoint: '{services.endpoint('google')}', service account: {{key: {{file: '{key}'}}, subject: eng-00@acme.example}}}}"


def verdicts(home, control):
    """{name of a member: verdict}"""
    return {name: member["verdict"] for name, member in home.members(control).items()}


def everywhere(home):
    """Every file of the home as it is, and packs unpacked: `zstd -d` turns one into its blobs."""
    for path in home.files("."):
        yield path.name, path.read_bytes()
        if path.parent.name == "blobs":
            yield path.name, subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout


def test_okta_is_collected_and_told_from(new_home, services):
    home = new(new_home, services, okta(services))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("okta", "00o-acme", []), run
    assert services.requests()["okta /api/v1/users"] == 3, "twelve people on pages of five"
    assert home.sql("select count(*) as users, count(distinct email) as emails from okta_user") == [{"users": 12, "emails": 12}]
    assert home.sql("select email from okta_user where okta_user_id = '00u02'") == [{"email": "eng-02@acme.example"}]
    assert home.sql("select count(*) as n from okta_group_member") == [{"n": 19}]
    assert verdicts(home, "okta-user-factor")["eng-02@acme.example"] == "fail"
    assert verdicts(home, "okta-user-factor")["eng-03@acme.example"] == "pass"
    assert verdicts(home, "okta-admin-strong-factor") == {"eng-00@acme.example": "pass", "eng-01@acme.example": "fail"}
    assert verdicts(home, "okta-app-two-factors") == {"Crm": "pass", "Wiki": "fail", "Build": "pass"}
    assert home.status()["okta-super-admin-count"]["verdict"] == "pass"
    basis = home.sql("select distinct basis, count(*) as n from okta_event group by basis")
    assert basis == [{"basis": "recalled", "n": 11}], basis
    home.verify()
    before = home.sql("select * from okta_user order by all")
    home.run("rebuild", code=PASS)
    assert home.sql("select * from okta_user order by all") == before


def test_okta_that_did_not_change_stores_nothing_and_whoever_is_deactivated_is_gone(new_home, services):
    home = new(new_home, services, okta(services))
    home.collect(code=ANY)
    assert home.json("collect", code=ANY)["runs"][0]["unchanged"]
    services.change("okta", "deactivate", "eng-11")
    home.collect(code=ANY)
    assert home.sql("select count(*) as n from okta_user where valid_to = 'infinity'") == [{"n": 11}]
    assert home.sql("select count(*) as n from okta_event where event_type = 'user.lifecycle.deactivate'") == [{"n": 2}]


def test_what_okta_refuses_is_unknown_and_nothing_else(new_home, services):
    home = new(new_home, services, okta(services))
    services.refuse("okta", "/roles")
    run = home.json("collect", code=ANY)["runs"][0]
    assert {one["operation"] for one in run["incomplete"]} == {"okta:roles"}, run["incomplete"]
    status = home.status()
    assert status["okta-admin-strong-factor"]["verdict"] == "unknown"
    assert status["okta-super-admin-count"]["verdict"] == "unknown"
    assert set(verdicts(home, "okta-user-factor").values()) == {"pass", "fail"}


def test_a_limit_of_okta_is_waited_for(new_home, services):
    home = new(new_home, services, okta(services))
    services.limit("okta", 6)
    run = home.json("collect", code=ANY)["runs"][0]
    assert run["incomplete"] == [] and run["counts"]["retried"] >= 1, run


def test_a_token_that_okta_does_not_know_is_a_run_that_says_so(new_home, services):
    home = new(new_home, services, okta(services))
    home.extra["OKTA_TOKEN"] = "another-token-altogether"
    done = home.run("collect", code=UNDECIDED)
    assert "401" in done.out + done.err and "another-token" not in done.out + done.err


# ---- Google Workspace


def test_google_is_collected_in_an_admins_name_and_told_from(new_home, services, tmp_path):
    home = new(new_home, services, google(services, tmp_path))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("google", "C01acme", []), run
    asked = services.requests()
    assert asked["google /token"] == 1 and asked["google /admin/directory/v1/users"] == 3, asked
    assert home.sql("select count(*) as users, count(distinct email) as emails from google_user") == [{"users": 12, "emails": 12}]
    assert home.sql("select count(*) as n from google_group_member") == [{"n": 8}]
    assert {name for name, verdict in verdicts(home, "google-user-two-step").items() if verdict == "fail"} == {"eng-02@acme.example"}
    assert "eng-05@acme.example" not in verdicts(home, "google-user-two-step"), "whoever is suspended can't sign in"
    assert verdicts(home, "google-user-dormant")["eng-04@acme.example"] == "fail"
    assert {name for name, verdict in verdicts(home, "google-admin-role-holder").items() if verdict == "fail"} == {"eng-05@acme.example: _HELP_DESK_ADMIN_ROLE"}
    assert home.status()["google-super-admin-count"]["verdict"] == "pass"
    assert verdicts(home, "google-no-self-grant") == {"eng-00@acme.example gave an admin role": "pass", "eng-01@acme.example gave an admin role": "fail"}
    assert home.sql("select distinct basis from google_admin_event") == [{"basis": "recalled"}]
    assert home.json("collect", code=ANY)["runs"][0]["unchanged"]
    services.change("google", "suspend", "eng-02@acme.example")
    services.requests(reset=True)
    home.collect(code=ANY)
    assert services.requests()["google /admin/reports/v1/activity/users/all/applications/admin"] == 1, "the log is read as far as it is new"
    assert "eng-02@acme.example" not in verdicts(home, "google-user-two-step")
    home.verify()


def test_a_scope_that_google_was_not_told_of_is_said_by_doctor(new_home, services, tmp_path):
    home = new(new_home, services, google(services, tmp_path))
    services.change("google", "delegate", "https://www.googleapis.com/auth/admin.directory.user.readonly")
    said = home.run("doctor", code=FAILS).out
    assert "unauthorized_client" in said and "vouch permissions google" in said, said
    assert home.json("collect", code=ANY)["runs"][0]["outcome"] == "denied"


def test_what_google_refuses_is_unknown_and_nothing_else(new_home, services, tmp_path):
    home = new(new_home, services, google(services, tmp_path))
    services.refuse("google", "/roleassignments")
    run = home.json("collect", code=ANY)["runs"][0]
    assert {one["operation"] for one in run["incomplete"]} == {"google:role_assignments"}, run["incomplete"]
    status = home.status()
    assert status["google-admin-role-holder"]["verdict"] == "unknown" and status["google-super-admin-count"]["verdict"] == "pass"
    assert "google:role_assignments" in home.run("doctor", code=ANY).out


def test_a_limit_of_google_is_waited_for(new_home, services, tmp_path):
    home = new(new_home, services, google(services, tmp_path))
    services.limit("google", 6)
    run = home.json("collect", code=ANY)["runs"][0]
    assert run["incomplete"] == [] and run["counts"]["retried"] >= 1, run


# ---- Microsoft Entra


def failing(home, control):
    return {name for name, verdict in verdicts(home, control).items() if verdict == "fail"}


def test_entra_is_collected_and_told_from(new_home, services):
    home = new(new_home, services, microsoft(services, "entra"))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("entra", "4f2e-0000", []), run
    asked = services.requests()
    assert asked[f"microsoft /{TENANT}/oauth2/v2.0/token"] == 1 and asked["microsoft /v1.0/users"] == 6, asked
    assert home.sql("select count(*) as n from entra_user") == [{"n": 12}]
    assert failing(home, "entra-user-mfa") == {"eng-02@acme.example"}
    assert verdicts(home, "entra-admin-strong-factor") == {"eng-00@acme.example": "pass", "eng-01@acme.example": "fail"}
    assert failing(home, "entra-user-dormant") == {"eng-04@acme.example"}
    assert verdicts(home, "entra-mfa-demanded") == {"Acme": "pass"} and verdicts(home, "entra-mfa-few-left-out") == {"MFA for all": "pass"}
    assert home.status()["entra-global-admin-count"]["verdict"] == "pass"
    assert home.json("collect", code=ANY)["runs"][0]["unchanged"]
    services.change("microsoft", "leave_policy_to_reports")
    home.collect(code=ANY)
    assert verdicts(home, "entra-mfa-demanded") == {"Acme": "fail"}
    home.verify()


def test_what_entra_tells_with_a_licence_only_is_unknown_without_and_nothing_else(new_home, services):
    home = new(new_home, services, microsoft(services, "entra"))
    services.refuse("microsoft", "/userRegistrationDetails")
    run = home.json("collect", code=ANY)["runs"][0]
    assert {one["operation"] for one in run["incomplete"]} == {"entra:registrations"}, run["incomplete"]
    assert set(verdicts(home, "entra-user-mfa").values()) == {"unknown"}
    assert verdicts(home, "entra-mfa-demanded") == {"Acme": "pass"}
    said = home.run("doctor", code=ANY).out
    assert "entra:registrations" in said and "AuditLog.Read.All" in said, said


def test_a_client_secret_that_microsoft_does_not_know_is_a_run_that_says_so(new_home, services):
    home = new(new_home, services, microsoft(services, "intune"))
    home.extra["GRAPH_SECRET"] = "another-secret-altogether"
    done = home.run("collect", code=UNDECIDED)
    assert "invalid_client" in done.out + done.err and "another-secret" not in done.out + done.err


# ---- Devices


def test_intunes_devices_are_collected_and_told_from(new_home, services):
    home = new(new_home, services, microsoft(services, "intune"))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("intune", "4f2e-0000", []), run
    assert home.sql("select count(*) as n from intune_device") == [{"n": 6}]
    assert failing(home, "intune-disk-encrypted") == {"pc-2"} and failing(home, "intune-device-compliant") == {"pc-3"}
    assert failing(home, "intune-device-fresh") == {"pc-4"}
    assert home.status()["intune-policy-demands"]["verdict"] == "pass"
    home.verify()


def test_fleets_devices_are_collected_and_those_that_are_a_persons_judged(new_home, services):
    home = new(new_home, services, fleet(services))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("fleet", "fleet.acme.example", []), run
    assert services.requests()["fleet /api/v1/fleet/hosts"] == 2, "106 devices on pages of a hundred"
    assert home.sql("select count(*) as n from fleet_host") == [{"n": 106}]
    encrypted = verdicts(home, "fleet-disk-encrypted")
    assert len(encrypted) == 11 and failing(home, "fleet-disk-encrypted") == {"mac-2", "mac-3"}
    assert failing(home, "fleet-screen-lock") == {"mac-4"} and failing(home, "fleet-os-up-to-date") == {"mac-9"}
    assert failing(home, "fleet-host-fresh") == {"mac-5"}
    assert failing(home, "fleet-policy-passed") == {"mac-7: Firewall enabled (macOS)"}
    assert home.json("collect", code=ANY)["runs"][0]["counts"]["new_bodies"] == 0
    services.change("fleet", "remove", "2")
    home.collect(code=ANY)
    assert failing(home, "fleet-disk-encrypted") == {"mac-3"}
    assert "observer" in home.run("permissions", "fleet", code=PASS).out
    home.verify()


def test_a_device_that_fleet_does_not_show_is_unknown_and_no_other(new_home, services):
    home = new(new_home, services, fleet(services))
    services.refuse("fleet", "/hosts/7")
    run = home.json("collect", code=ANY)["runs"][0]
    assert {one["operation"] for one in run["incomplete"]} == {"fleet:host"}, run["incomplete"]
    assert {name for name, verdict in verdicts(home, "fleet-disk-encrypted").items() if verdict == "unknown"} == {"mac-7"}
    assert "signed in as vouch@acme.example, account fleet.acme.example" in home.run("doctor", code=ANY).out


# ---- Tickets


def test_jiras_tickets_are_collected_by_kind_and_judged(new_home, services):
    home = new(new_home, services, jira(services))
    run = home.json("collect", code=ANY)["runs"][0]
    assert (run["source"], run["account"], run["incomplete"]) == ("jira", "acme.atlassian.net", []), run
    assert home.sql("select count(*) as n from jira_incident") == [{"n": 5}]
    assert failing(home, "jira-incident-owned") == {"OPS-2"} and failing(home, "jira-incident-closed") == {"OPS-5"}
    assert verdicts(home, "jira-incident-postmortem") == {"OPS-3": "pass", "OPS-4": "fail"}
    assert verdicts(home, "jira-access-approved") == {"OPS-11": "pass", "OPS-12": "fail"}
    assert verdicts(home, "jira-change-approved") == {"OPS-21": "fail"} and verdicts(home, "jira-vulnerability-mended") == {"OPS-31": "fail"}
    assert home.json("collect", code=ANY)["runs"][0]["unchanged"]
    services.change("jira", "relabel", "2", "question")
    home.collect(code=ANY)
    assert failing(home, "jira-incident-owned") == set(), "what is no incident any more is none that nobody owns"
    home.verify()


def test_a_home_says_by_a_query_of_its_own_which_tickets_are_incidents(new_home, services):
    home = new(new_home, services, jira(services, ", incidents: labels = change"))
    home.collect(code=ANY)
    assert home.sql("select issue from jira_incident") == [{"issue": "OPS-21"}]


# ---- On call


def test_pagerdutys_on_call_and_incidents_are_collected_and_judged(new_home, services):
    home = new(new_home, services, pagerduty(services), HR)
    write(home)
    runs = {run["source"]: run for run in home.json("collect", code=ANY)["runs"]}
    assert (runs["pagerduty"]["account"], runs["pagerduty"]["incomplete"]) == ("acme", []), runs
    assert verdicts(home, "pagerduty-somebody-on-call") == {"web": "pass", "batch": "fail"} == verdicts(home, "pagerduty-escalates")
    assert verdicts(home, "pagerduty-incident-acknowledged") == {"incident 1": "pass", "incident 2": "fail"}
    assert failing(home, "leaver-pagerduty") == {"eng-02@acme.example"}
    services.change("pagerduty", "fill")
    services.refuse("pagerduty", "/incidents/I2")
    run = {run["source"]: run for run in home.json("collect", code=ANY)["runs"]}["pagerduty"]
    assert {one["operation"] for one in run["incomplete"]} == {"pagerduty:log_entries"}, run
    assert failing(home, "pagerduty-somebody-on-call") == set()
    home.verify()


def test_no_secret_is_found_anywhere(new_home, services, tmp_path):
    home = new(new_home, services, okta(services), google(services, tmp_path), fleet(services), microsoft(services, "entra"), microsoft(services, "intune"),
               jira(services), pagerduty(services))
    said = home.collect(code=ANY)
    texts = [said.out, said.err, home.run("status", code=ANY).out, home.run("doctor", code=ANY).out]
    texts += [home.run("sql", f"select * from {table}", code=PASS).out for table in ("okta_user", "google_user", "google_group_member", "entra_user", "intune_device")]
    for secret in SECRETS:
        for name, content in everywhere(home):
            assert secret.encode() not in content, (secret, name)
        assert not any(secret in text for text in texts), secret


# ---- Lists that nobody serves: files

PEOPLE = """Work mail;First day;Last day;Boss;Salary
eng-00@acme.example;01.02.2020;;;{salary}
Eng-01@acme.example;01.02.2020;;eng-00@acme.example;{salary}
eng-02@acme.example;01.02.2020;01.10.2026;eng-00@acme.example;{salary}
eng-05@acme.example;01.02.2020;01.10.2026;eng-00@acme.example;{salary}
gone@acme.example;01.02.2020;01.10.2026;eng-00@acme.example;{salary}
"""
SALARY = "987654.32"
HR = ("hr: {company: acme, file: people.csv, separator: ';', dates: DD.MM.YYYY, ignore: [Salary], "
      "columns: {email: Work mail, start: First day, end: Last day, manager: Boss}}")


def write(home, text=PEOPLE, name="people.csv"):
    (home.path / name).write_bytes(text.replace("{salary}", SALARY).encode() if isinstance(text, str) else text)


def test_a_list_of_people_is_a_snapshot_like_any_other_and_leavers_are_found_by_it(new_home, services, tmp_path):
    home = new(new_home, services, okta(services), google(services, tmp_path), fleet(services), microsoft(services, "entra"), microsoft(services, "intune"), HR, "training: {company: acme, file: training.csv}")
    write(home)
    write(home, "email,course,completed\nENG-00@acme.example,security,2026-06-01\neng-01@acme.example,security,\n", "training.csv")
    runs = {run["source"]: run for run in home.json("collect", code=ANY)["runs"]}
    assert runs["hr"]["account"] == "acme" and runs["hr"]["incomplete"] == [], runs["hr"]
    assert home.sql("select person_email, ended from hr_person order by all")[1:3] == [
        {"person_email": "eng-01@acme.example", "ended": None}, {"person_email": "eng-02@acme.example", "ended": "2026-10-01T00:00:00Z"}]
    assert verdicts(home, "leaver-okta") == {"eng-02@acme.example": "fail", "eng-05@acme.example": "pass", "gone@acme.example": "pass"}
    assert verdicts(home, "leaver-google") == {"eng-02@acme.example": "fail", "eng-05@acme.example": "pass", "gone@acme.example": "pass"}
    assert verdicts(home, "google-user-on-list")["eng-03@acme.example"] == "fail"
    assert verdicts(home, "person-device-fleet") == {"eng-00@acme.example": "pass", "eng-01@acme.example": "pass"}
    assert verdicts(home, "leaver-device-fleet")["eng-02@acme.example"] == "fail" and verdicts(home, "leaver-device-fleet")["eng-05@acme.example"] == "pass"
    assert verdicts(home, "leaver-entra") == verdicts(home, "leaver-google")
    assert failing(home, "entra-user-on-list") >= {"eng-03@acme.example"}
    assert failing(home, "leaver-device-intune") == {"eng-02@acme.example", "eng-05@acme.example"}, "a phone too"
    assert verdicts(home, "person-device-intune") == {"eng-00@acme.example": "pass", "eng-01@acme.example": "pass"}
    on_list = verdicts(home, "okta-user-on-list")
    assert on_list["eng-01@acme.example"] == "pass" and on_list["eng-03@acme.example"] == "fail"
    assert verdicts(home, "training-within-year") == {"eng-00@acme.example": "pass", "eng-01@acme.example": "fail"}
    assert home.status()["hr-list-fresh"]["verdict"] == "pass"
    home.verify()
    for name, content in everywhere(home):
        assert name == "people.csv" or SALARY.encode() not in content, name
    services.refuse("okta", "/api/v1/users")
    home.collect(code=ANY)
    assert set(verdicts(home, "leaver-okta").values()) == {"unknown"}, "what Okta did not show can't pass for gone"


@pytest.mark.parametrize("text, reason", [
    ("", "people.csv:1: has no record"),
    (PEOPLE.replace("Work mail", "Mail"), "people.csv:1: no column `Work mail`"),
    (PEOPLE.replace("Boss;", "Boss;Nick;").replace(";{salary}", ";x;{salary}"), "people.csv:1: nobody said what column `Nick` is"),
    (PEOPLE.replace("gone@", "ENG-02@"), "people.csv:6: tells again of what line 4 tells"),
    (PEOPLE.encode("utf-16"), "people.csv:1: is UTF-16"),
    (PEOPLE.replace("gone", "gön").encode("latin-1"), "people.csv:6: is not UTF-8"),
    (None, "there is no people.csv"),
])
def test_a_list_that_is_not_as_declared_says_where_and_is_never_an_empty_one(new_home, services, text, reason):
    home = new(new_home, services, HR)
    write(home)
    home.collect(code=ANY)
    (home.path / "people.csv").unlink() if text is None else write(home, text)
    done = home.run("collect", code=ANY)
    assert reason in done.out + done.err, done.out + done.err
    assert SALARY not in done.out + done.err
    assert home.sql("select count(*) as n from hr_person where valid_to = 'infinity'") == [{"n": 5}]
    assert home.status()["hr-person-manager"]["verdict"] == "unknown"
