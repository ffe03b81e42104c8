"""What moto lacks: operations that it meets with an error page, answered here as AWS answers an account that has nothing of the kind.

    lacking = Lacking()
    lacking.answer(environ)                # (status, body) of an operation that moto lacks; None: ask moto
    lacking.set("backup", "ListBackupJobs", {"BackupJobs": [...]}, region="eu-central-1")

Shapes are those of botocore's models (tests/catalog/test_aws_shapes.py checks that each answer has only members that its operation has).
"""
import json
import re

# By the last word of X-Amz-Target.
BY_TARGET = {
    "AmazonSSM.DescribeInstanceInformation": ("ssm", {"InstanceInformationList": []}),
    "AmazonSSM.ListResourceComplianceSummaries": ("ssm", {"ResourceComplianceSummaryItems": []}),
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
        found = self.find(environ)
        if not found:
            return None
        service, operation, nothing = found
        return self.said.get((service, operation, signed_for(environ)[0]), nothing)

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
