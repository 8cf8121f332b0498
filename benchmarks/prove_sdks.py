"""Do the vendors' own clients take our stand-ins for the vendors? `make prove-sdks`

Python's clients first, as the tests drive them; then jsforce, by which Salesforce is spoken to from
JavaScript, installed into a folder that is thrown away. It needs node 20 and npm.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.simulators.base import Family, running
from tests.simulators.salesforce import Salesforce

ROOT = Path(__file__).resolve().parent.parent
JSFORCE = "jsforce@3.10.16"
TESTS = ["tests/integrations/test_crm_sdks.py"]
PEOPLE = 450
SCRIPT = """
const jsforce = require("jsforce");
const [url, refresh] = process.argv.slice(2);
const oauth2 = { loginUrl: `${url}/login.salesforce.com`, clientId: "app", clientSecret: "secret" };
const conn = new jsforce.Connection({
  instanceUrl: `${url}/acme.my.salesforce.com`, version: "62.0",
  accessToken: "ended", refreshToken: "r-second", oauth2,
});
const signIn = new jsforce.OAuth2(oauth2);
const said = {};
const tell = (name, value) => { said[name] = value; };
(async () => {
  const renewed = await signIn.refreshToken(refresh);
  tell("a refresh token is renewed, and another one comes", renewed.refresh_token !== refresh);
  const spent = await signIn.refreshToken(refresh).then(() => "no error", (fault) => fault.name);
  tell("a spent one is refused", spent === "invalid_grant");
  let times = 0;
  conn.on("refresh", () => { times += 1; });
  let page = await conn.query("SELECT Id,Name,Email FROM Contact");
  const ids = page.records.map((row) => row.Id);
  let pages = 1;
  while (!page.done) {
    page = await conn.queryMore(page.nextRecordsUrl);
    ids.push(...page.records.map((row) => row.Id));
    pages += 1;
  }
  const once = new Set(ids).size === ids.length && ids.length === PEOPLE;
  tell("all are read once, page after page", once && pages > 1);
  tell("an ended token is renewed by itself, once", times === 1);
  const patched = await conn.sobject("Contact").update({ Id: ids[0], HasOptedOutOfEmail: true });
  tell("a flag is set", patched.success === true);
  const task = await conn.sobject("Task").create({ WhoId: ids[0], Subject: "Video message sent" });
  tell("a task is made", task.success === true && task.id.startsWith("00T"));
  const gone = await conn.sobject("Contact").update({ Id: "0035g0000000000", DoNotCall: true })
    .then(() => "no error", (fault) => fault.errorCode);
  tell("a fault is the vendor's", gone === "NOT_FOUND");
  tell("the day's limit is understood", (conn.limitInfo?.apiUsage?.limit ?? 0) === 15000);
  console.log(JSON.stringify(said));
})().catch((fault) => { console.error(fault); process.exit(1); });
"""


def main() -> int:
    print("hubspot-api-client, simple-salesforce:", flush=True)
    tests = subprocess.run([sys.executable, "-m", "pytest", *TESTS, "-q"], cwd=ROOT, check=False)
    with tempfile.TemporaryDirectory(prefix="sealcast-sdks-") as folder:
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", JSFORCE]
        subprocess.run([*install, "--silent"], cwd=folder, check=True)
        said, vendor = driven(Path(folder))
    print(f"{JSFORCE}:")
    said["the stand-in has the flag and the task"] = stands(vendor)
    for name, holds in said.items():
        print(f"  {'yes' if holds else 'NO '}  {name}")
    return int(tests.returncode != 0 or not all(said.values()))


def driven(folder: Path) -> tuple[dict[str, bool], Salesforce]:
    """Let jsforce read and write the stand-in; return what it found, and the stand-in."""
    vendor = Salesforce(client_id="app", secret="secret", redirect_uri="")  # noqa: S106  of nobody
    # Spent twice, a refresh token ends what it brought: the calls have a permission of their own.
    for refresh in ("r-first", "r-second"):
        vendor.families.append(Family("app", "api", "login.salesforce.com", refresh=refresh))
    for number in range(PEOPLE):
        vendor.add(Name=f"Nobody {number}", Email=f"n{number}@example.org")
    script = folder / "drive.js"
    script.write_text(SCRIPT.replace("PEOPLE", str(PEOPLE)), encoding="utf-8")
    with running(vendor) as address:
        vendor.instance_url = f"{address}/acme.my.salesforce.com"
        command = ["node", str(script), address, "r-first"]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    told: dict[str, bool] = json.loads(found.stdout)
    return told, vendor


def stands(vendor: Salesforce) -> bool:
    first = min(vendor.people)
    return vendor.people[first].get("HasOptedOutOfEmail") is True and len(vendor.tasks) == 1


if __name__ == "__main__":
    sys.exit(main())
