"""What moto lacks: operations that it meets with an error page, answered here as AWS answers an account that has nothing of the kind.

    lacking = Lacking()
    lacking.answer(environ)                # (content type, body) of an operation that moto lacks; None: ask moto
    lacking.set("backup", "ListBackupJobs", {"BackupJobs": [...]}, region="eu-central-1")

Shapes are those of botocore's models (tests/catalog/test_aws_shapes.py checks that each answer has only members that its operation has).
"""
import io
import json
import re
import urllib.parse
import uuid

# By the last word of X-Amz-Target.
BY_TARGET = {
    "AmazonSSM.DescribeInstanceInformation": ("ssm", {"InstanceInformationList": []}),
    "AmazonSSM.ListResourceComplianceSummaries": ("ssm", {"ResourceComplianceSummaryItems": []}),
}

# By the Action of a form; answers are XML. A report's id is another each time.
BY_ACTION = {
    "GenerateServiceLastAccessedDetails": lambda form: f"<JobId>{uuid.uuid4()}</JobId>",
    "GetServiceLastAccessedDetails": lambda form: "<JobStatus>COMPLETED</JobStatus><JobType>SERVICE_LEVEL</JobType><JobCreationDate>2026-01-01T00:00:00Z"
    "</JobCreationDate><JobCompletionDate>2026-01-01T00:00:01Z</JobCompletionDate><ServicesLastAccessed/><IsTruncated>false</IsTruncated>",
}

# By the service that the request is signed for, method and path.
BY_PATH = [
    ("access-analyzer", "GET", r"/analyzer", "ListAnalyzers", {"analyzers": []}),
    ("access-analyzer", "POST", r"/findingv2", "ListFindingsV2", {"findings": []}),
    ("backup", "GET", r"/backup-jobs", "ListBackupJobs", {"BackupJobs": []}),
    ("backup", "GET", r"/resources", "ListProtectedResources", {"Results": []}),
    ("backup", "GET", r"/restore-testing/plans", "ListRestoreTestingPlans", {"RestoreTestingPlans": []}),
    ("backup", "GET", r"/backup/plans/[^/]+/selections", "ListBackupSelections", {"BackupSelectionsList": []}),
    ("backup", "GET", r"/backup-vaults/[^/]+/recovery-points", "ListRecoveryPointsByBackupVault", {"RecoveryPoints": []}),
    ("guardduty", "POST", r"/detector/[^/]+/findings", "ListFindings", {"FindingIds": []}),
    ("lambda", "GET", r"/2021-10-31/functions/[^/]+/urls", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": []}),
    ("securityhub", "POST", r"/standards/get", "GetEnabledStandards", {"StandardsSubscriptions": []}),
]


class Lacking:
    def __init__(self):
        self.said = {}

    def reset(self):
        self.said = {}

    def set(self, service, operation, body, region):
        self.said[service, operation, region] = body

    def answer(self, environ):
        """(content type, bytes)"""
        if signed_for(environ)[1] == "iam":
            return self.answer_form(environ)
        found = self.find(environ)
        if not found:
            return None
        service, operation, nothing = found
        return "application/json", json.dumps(self.said.get((service, operation, signed_for(environ)[0]), nothing)).encode()

    @staticmethod
    def answer_form(environ):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)  # for moto
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1")))
        action = form.get("Action")
        if action not in BY_ACTION:
            return None
        return "text/xml", (f'<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{action}Result>{BY_ACTION[action](form)}</{action}Result>'
                            f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>").encode()

    @staticmethod
    def find(environ):
        target = BY_TARGET.get(environ.get("HTTP_X_AMZ_TARGET", ""))
        if target:
            return target[0], environ["HTTP_X_AMZ_TARGET"].rsplit(".", 1)[1], target[1]
        service, path = signed_for(environ)[1], environ.get("PATH_INFO", "").rstrip("/") or "/"
        for signed, method, pattern, operation, nothing in BY_PATH:
            if service == signed and environ["REQUEST_METHOD"] == method and re.fullmatch(pattern, path):
                return signed, operation, nothing
        return None


def signed_for(environ):
    """(region, service) of a signed request."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    return scope.groups() if scope else ("", "")
