"""The sample company's services: containers, functions, stores, messages, edges, and who watches them. Good ones, and those left undone."""
import io
import json
import zipfile

HOME, SECOND = "eu-central-1", "us-east-1"
ACCOUNT = "123456789012"


def every(n, index, offset=0):
    return index % n == offset % n


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def wrong(**faults):
    """The names of the faults that are true."""
    return [name.replace("_", " ") for name, is_wrong in faults.items() if is_wrong]


def fill(aws, plan, size, keys, say=None):
    """`say` (cloud.answer) tells the simulation what moto can't be told; without it those services have nothing."""
    if not size.services:
        return
    fill_containers(aws, plan, size)
    fill_functions(aws, plan, size)
    fill_secrets(aws, plan, size)
    fill_messages(aws, plan, size, keys)
    fill_stores(aws, plan, size, keys)
    fill_edges(aws, plan, size)
    fill_watch(aws, plan, keys)
    if say:
        tell(plan, say)


def fill_containers(aws, plan, size):
    ecr, ecs, eks = aws("ecr"), aws("ecs"), aws("eks")
    subnet = aws("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    cluster = ecs.create_cluster(clusterName="main", settings=[{"name": "containerInsights", "value": "enabled"}])["cluster"]["clusterArn"]
    plan.add("container cluster", "main")
    for i in range(size.services):
        name = f"service-{i:03}"
        scanned, fixed = not every(4, i, 1), not every(3, i, 2)
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": scanned},
                              imageTagMutability="IMMUTABLE" if fixed else "MUTABLE")
        plan.add("image repository", name, *wrong(images_that_are_not_scanned=not scanned, tags_that_move=not fixed))
        logged, open_secret, public = not every(4, i, 3), every(5, i, 2), every(6, i, 4)
        container = {"name": "app", "image": f"{ACCOUNT}.dkr.ecr.{HOME}.amazonaws.com/{name}:1", "memory": 256, "essential": True,
                     "environment": [{"name": "LOG_LEVEL", "value": "info"}] + ([{"name": "DB_PASSWORD", "value": "hunter2-example"}] if open_secret else [])}
        if logged:
            container["logConfiguration"] = {"logDriver": "awslogs", "options": {"awslogs-group": f"/app/{name}"}}
        task = ecs.register_task_definition(family=name, networkMode="awsvpc", containerDefinitions=[container])["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=task, desiredCount=1, launchType="FARGATE", networkConfiguration={
            "awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [plan.made["security group"][0]], "assignPublicIp": "ENABLED" if public else "DISABLED"}})
        plan.add("container service", name, *wrong(container_without_log=not logged, secret_in_a_variable=open_secret, service_with_public_addresses=public))
    for i in range(max(1, size.services // 3)):
        name, is_open = f"cluster-{i:02}", every(2, i)
        eks.create_cluster(name=name, roleArn=f"arn:aws:iam::{ACCOUNT}:role/service-000", resourcesVpcConfig={
            "subnetIds": [subnet], "endpointPublicAccess": is_open, "endpointPrivateAccess": True, **({"publicAccessCidrs": ["0.0.0.0/0"]} if is_open else {})},
            logging={"clusterLogging": [{"types": ["api", "audit", "authenticator"], "enabled": not every(3, i, 1)}]})
        plan.add("kubernetes cluster", name, *wrong(kubernetes_API_open_to_the_world=is_open))


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), "def handler(event, context):\n    return None\n")
    return out.getvalue()


def fill_functions(aws, plan, size):
    functions, machines, code = aws("lambda"), aws("stepfunctions"), package()
    for i in range(size.services):
        name, old, public = f"function-{i:02}", every(4, i, 1), every(6, i, 3)
        functions.create_function(FunctionName=name, Runtime="python3.8" if old else "python3.13", Role=f"arn:aws:iam::{ACCOUNT}:role/service-001",
                                  Handler="app.handler", Code={"ZipFile": code}, Environment={"Variables": {"STAGE": "prod", "WEBHOOK_TOKEN_ARN": "arn"}})
        functions.add_permission(FunctionName=name, StatementId="call", Action="lambda:InvokeFunction", **(
            {"Principal": "*"} if public else {"Principal": "events.amazonaws.com", "SourceArn": f"arn:aws:events:{HOME}:{ACCOUNT}:rule/hourly"}))
        plan.add("function", name, *wrong(function_on_an_old_runtime=old, function_that_all_may_call=public))
    for i in range(max(2, size.services // 3)):
        name, logged = f"workflow-{i:02}", every(2, i)
        level = {"loggingConfiguration": {"level": "ERROR", "includeExecutionData": False, "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:/app/{name}:*"}}]}} if logged else {}
        machines.create_state_machine(name=name, type="EXPRESS", roleArn=f"arn:aws:iam::{ACCOUNT}:role/service-001", **level, definition=json.dumps(
            {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}))
        plan.add("workflow", name, *wrong(workflow_without_log=not logged))


def fill_secrets(aws, plan, size):
    secrets, ssm = aws("secretsmanager"), aws("ssm")
    for i in range(size.services):
        name, public, clear = f"app/{i:02}", every(6, i, 4), every(4, i, 2)
        secrets.create_secret(Name=name, SecretString="an-example-and-no-secret")
        if public:
            secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy(
                {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}))
        plan.add("secret", name, *wrong(secret_that_all_may_read=public))
        ssm.put_parameter(Name=f"/app/{i:02}/db-password", Value="example", Type="String" if clear else "SecureString")
        plan.add("parameter", f"/app/{i:02}/db-password", *wrong(password_in_the_clear=clear))


def fill_messages(aws, plan, size, keys):
    sns, sqs, kinesis = aws("sns"), aws("sqs"), aws("kinesis")
    for i in range(size.services):
        name, public, clear = f"events-{i:02}", every(6, i, 2), every(3, i, 1)
        topic = sns.create_topic(Name=name, Attributes={} if clear else {"KmsMasterKeyId": keys[i % len(keys)]})["TopicArn"]
        if public:
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(
                {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic}))
        plan.add("topic", name, *wrong(topic_open_to_all=public))
        attributes = {"SqsManagedSseEnabled": "false" if clear else "true"}
        if public:
            attributes["Policy"] = policy({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"})
        sqs.create_queue(QueueName=name, Attributes=attributes)
        plan.add("queue", name, *wrong(queue_open_to_all=public, queue_in_the_clear=clear))
    for i in range(max(2, size.services // 3)):
        name, clear = f"stream-{i:02}", every(2, i, 1)
        kinesis.create_stream(StreamName=name, ShardCount=1)
        if not clear:
            kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=keys[0])
        plan.add("stream", name, *wrong(stream_in_the_clear=clear))


def fill_stores(aws, plan, size, keys):
    dynamodb, efs, cache, search, redshift = (aws(service) for service in ("dynamodb", "efs", "elasticache", "opensearch", "redshift"))
    for i in range(size.services):
        name, backups, protected = f"table-{i:02}", not every(4, i, 1), not every(3, i, 1)
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], DeletionProtectionEnabled=protected)
        if backups:
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        plan.add("table", name, *wrong(table_without_backups=not backups, table_that_can_be_deleted=not protected))
    for i in range(max(2, size.services // 3)):
        clear = every(2, i, 1)
        system = efs.create_file_system(CreationToken=f"fs-{i}", Encrypted=not clear, Tags=[{"Key": "Name", "Value": f"shared-{i:02}"}])["FileSystemId"]
        efs.put_lifecycle_configuration(FileSystemId=system, LifecyclePolicies=[])
        plan.add("file system", system, *wrong(file_system_in_the_clear=clear))
        cache.create_replication_group(ReplicationGroupId=f"cache-{i:02}", ReplicationGroupDescription="sessions", Engine="redis",
                                       CacheNodeType="cache.t3.micro", TransitEncryptionEnabled=not clear, AtRestEncryptionEnabled=True, NumCacheClusters=2,
                                       AutomaticFailoverEnabled=True)
        plan.add("cache", f"cache-{i:02}", *wrong(cache_in_the_clear=clear))
        search.create_domain(DomainName=f"search-{i:02}", EngineVersion="OpenSearch_2.11", EncryptionAtRestOptions={"Enabled": not clear},
                             NodeToNodeEncryptionOptions={"Enabled": not clear}, DomainEndpointOptions={"EnforceHTTPS": not clear})
        plan.add("search domain", f"search-{i:02}", *wrong(search_domain_in_the_clear=clear))
        redshift.create_cluster(ClusterIdentifier=f"warehouse-{i:02}", NodeType="ra3.large", NumberOfNodes=2, DBName="main", MasterUsername="admin",
                                MasterUserPassword="Not-a-real-1-password", Encrypted=True, PubliclyAccessible=clear, AutomatedSnapshotRetentionPeriod=14)
        if not clear:
            redshift.create_cluster_snapshot(SnapshotIdentifier=f"warehouse-{i:02}-manual", ClusterIdentifier=f"warehouse-{i:02}")
        plan.add("warehouse", f"warehouse-{i:02}", *wrong(warehouse_on_the_internet=clear, warehouse_without_snapshot=clear))


def fill_edges(aws, plan, size):
    ec2, elb, gateway, http, edge = (aws(service) for service in ("ec2", "elbv2", "apigateway", "apigatewayv2", "cloudfront"))
    vpc = plan.made["vpc"][0]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"{HOME}{'ab'[i]}")["Subnet"]["SubnetId"] for i in range(2)]
    target = elb.create_target_group(Name="app", Protocol="HTTP", Port=8080, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    for i in range(max(2, size.services // 2)):
        name, clear, internal = f"edge-{i:02}", every(3, i, 1), every(4, i, 3)
        balancer = elb.create_load_balancer(Name=name, Subnets=subnets, Scheme="internal" if internal else "internet-facing")["LoadBalancers"][0]["LoadBalancerArn"]
        forward = [{"Type": "forward", "TargetGroupArn": target}]
        redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward if clear else redirect)
        plan.add("load balancer", name, *wrong(load_balancer_in_the_clear=clear and not internal))
    for i in range(max(2, size.services // 3)):
        name, logged = f"api-{i:02}", every(2, i)
        api = http.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
        log = {"AccessLogSettings": {"DestinationArn": f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:api", "Format": "$context.requestId"}} if logged else {}
        http.create_stage(ApiId=api, StageName="prod", **log)
        plan.add("HTTP API", name, *wrong(API_without_log=not logged))
        rest = gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
        root = gateway.get_resources(restApiId=rest)["items"][0]["id"]
        gateway.put_method(restApiId=rest, resourceId=root, httpMethod="GET", authorizationType="AWS_IAM")
        gateway.put_integration(restApiId=rest, resourceId=root, httpMethod="GET", type="MOCK")
        gateway.create_deployment(restApiId=rest, stageName="prod", variables={"upstream_token": "example-of-a-token"})
        if logged:
            gateway.update_stage(restApiId=rest, stageName="prod", patchOperations=[{"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}])
        plan.add("REST API", name, *wrong(API_without_log=not logged))
        clear = every(2, i, 1)
        origin = {"Id": "app", "DomainName": "app.example.com", "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only" if clear else "https-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}}}
        made = edge.create_distribution(DistributionConfig={
            "CallerReference": name, "Comment": name, "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
            "Logging": {"Enabled": not clear, "IncludeCookies": False, "Bucket": "logs-001-sample-company.s3.amazonaws.com", "Prefix": name},
            "DefaultCacheBehavior": {"TargetOriginId": "app", "ViewerProtocolPolicy": "allow-all" if clear else "redirect-to-https", "MinTTL": 0,
                                     "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}})["Distribution"]["Id"]
        plan.add("distribution", made, *wrong(distribution_in_the_clear=clear))


def fill_watch(aws, plan, keys):
    """In the first region somebody watches; in the second nobody does."""
    aws("guardduty").create_detector(Enable=True)
    config = aws("config")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/service-000",
                                                             "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "trail-sample-company"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    aws("securityhub").enable_security_hub()
    aws("inspector2").enable(accountIds=[ACCOUNT], resourceTypes=["EC2", "ECR", "LAMBDA"])
    plan.add("region", HOME)
    plan.add("region", SECOND, "region that nobody watches")
    backup = aws("backup")
    backup.create_backup_vault(BackupVaultName="main", EncryptionKeyArn=keys[0])
    backup.create_backup_plan(BackupPlan={"BackupPlanName": "daily", "Rules": [
        {"RuleName": "daily", "TargetBackupVaultName": "main", "ScheduleExpression": "cron(0 3 * * ? *)"}]})
    plan.add("backup plan", "daily", "backup plan that selects nothing")
    aws("cloudformation").create_stack(StackName="network", Parameters=[{"ParameterKey": "Password", "ParameterValue": "example-in-a-stack"}], TemplateBody=json.dumps(
        {"Parameters": {"Password": {"Type": "String"}}, "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-a-stack"}}}}))
    plan.add("stack", "network")


def tell(plan, say):
    """What the simulation answers for moto. In the second region nobody watches here either."""
    at, arn = "2026-01-05T09:00:00Z", f"arn:aws:access-analyzer:{HOME}:{ACCOUNT}:analyzer/account"
    say("access-analyzer", "ListAnalyzers", {"analyzers": [{"arn": arn, "name": "account", "type": "ACCOUNT", "createdAt": at, "status": "ACTIVE"}]})
    say("access-analyzer", "ListFindingsV2", {"findings": [
        {"id": "00000000-0000-4000-8000-000000000001", "resource": "arn:aws:iam::123456789012:role/service-004", "resourceType": "AWS::IAM::Role",
         "resourceOwnerAccount": ACCOUNT, "status": "ACTIVE", "findingType": "ExternalAccess", "createdAt": at, "analyzedAt": at, "updatedAt": at}]})
    say("securityhub", "GetEnabledStandards", {"StandardsSubscriptions": [
        {"StandardsSubscriptionArn": f"arn:aws:securityhub:{HOME}:{ACCOUNT}:subscription/aws-foundational-security-best-practices/v/1.0.0",
         "StandardsArn": f"arn:aws:securityhub:{HOME}::standards/aws-foundational-security-best-practices/v/1.0.0", "StandardsInput": {}, "StandardsStatus": "READY"}]})
    say("ssm", "DescribeInstanceInformation", {"InstanceInformationList": [
        {"InstanceId": instance, "PingStatus": "Online", "AgentVersion": "3.3.2299.0", "PlatformType": "Linux", "PlatformName": "Amazon Linux",
         "ResourceType": "EC2Instance"} for i, instance in enumerate(plan.made["instance"]) if not every(3, i, 2)]})
    for i, instance in enumerate(plan.made["instance"]):
        plan.wrong.setdefault("instance that nobody manages", []).extend([instance] if every(3, i, 2) else [])
    say("ssm", "ListResourceComplianceSummaries", {"ResourceComplianceSummaryItems": [
        {"ComplianceType": "Patch", "ResourceType": "ManagedInstance", "ResourceId": instance, "Status": "NON_COMPLIANT" if every(5, i, 1) else "COMPLIANT",
         "OverallSeverity": "HIGH" if every(5, i, 1) else "UNSPECIFIED", "NonCompliantSummary": {"NonCompliantCount": 3 if every(5, i, 1) else 0}}
        for i, instance in enumerate(plan.made["instance"])]})
