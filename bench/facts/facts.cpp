// How fast facts are built from a ledger: bench_facts [ROWS], about so many. Prints one JSON object.
//
// The ledger holds one collection of a made-up account with the answers that AWS gives, in their size and shape: volumes,
// instances and rules of security groups (XML, 1,000 a page), log groups (JSON, 50 a page), users and roles with their policy documents
// (XML, 100 a page), and buckets with four requests each. The shipped catalogue reads them.
#include "facts/test_ledger.h"

#include <sys/resource.h>

namespace vouch::facts::test {
namespace {

constexpr const char* region = "eu-central-1";

std::string hex_id(std::string_view prefix, std::size_t number) { return fmt::format("{}-0{:016x}", prefix, number * 2654435761u); }

template <class One>
std::vector<Answer> paged(std::size_t count, std::size_t page_size, std::string_view head, std::string_view tail, const One& one) {
  std::vector<Answer> pages;
  for (std::size_t from = 0; from < count; from += page_size) {
    std::string body{head};
    for (auto i = from; i < std::min(count, from + page_size); ++i) body += one(i);
    pages.push_back({body + std::string{tail}, "", "", "", ""});
  }
  return pages;
}

std::string volume(std::size_t i) {
  return fmt::format(
      "<item><volumeId>{}</volumeId><size>{}</size><snapshotId>{}</snapshotId><availabilityZone>{}a</availabilityZone><status>in-use</"
      "status>"
      "<createTime>2026-01-{:02}T10:{:02}:00.000Z</createTime><volumeType>gp3</volumeType><iops>3000</iops><encrypted>{}</encrypted>"
      "<kmsKeyId>arn:aws:kms:{}:111122223333:key/{:032x}</kmsKeyId><tagSet><item><key>Name</key><value>data-{}</value></item>"
      "<item><key>Team</key><value>core</value></item></tagSet></item>",
      hex_id("vol", i), i % 500, hex_id("snap", i), region, i % 28 + 1, i % 60, i % 10 != 0, region, i % 7, i);
}

std::string rule(std::size_t i) {
  return fmt::format(
      "<item><securityGroupRuleId>{}</securityGroupRuleId><groupId>{}</groupId><groupOwnerId>111122223333</groupOwnerId><isEgress>{}</"
      "isEgress>"
      "<ipProtocol>tcp</ipProtocol><fromPort>{}</fromPort><toPort>{}</toPort><cidrIpv4>10.{}.{}.0/24</cidrIpv4><description>from office "
      "{}</description>"
      "<tagSet/></item>",
      hex_id("sgr", i), hex_id("sg", i / 8), i % 2 == 0, i % 60000, i % 60000, i % 256, i / 256 % 256, i);
}

std::string instance(std::size_t i) {
  return fmt::format(
      "<item><reservationId>{}</reservationId><ownerId>111122223333</ownerId><groupSet/><instancesSet><item><instanceId>{}</"
      "instanceId><imageId>{}</imageId>"
      "<instanceState><code>16</code><name>running</name></instanceState><privateDnsName>ip-10-0-0-1.internal</"
      "privateDnsName><instanceType>m6i.large</instanceType>"
      "<launchTime>2026-01-{:02}T10:00:00.000Z</launchTime><monitoring><state>enabled</state></monitoring><subnetId>{}</"
      "subnetId><vpcId>{}</vpcId>"
      "<privateIpAddress>10.0.{}.{}</privateIpAddress><groupSet><item><groupId>{}</groupId><groupName>web</groupName></"
      "item><item><groupId>{}</groupId><groupName>ssh</groupName>"
      "</item></groupSet><metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</"
      "httpPutResponseHopLimit>"
      "<httpEndpoint>enabled</httpEndpoint></metadataOptions><tagSet><item><key>Name</key><value>web-{}</value></item></tagSet></item></"
      "instancesSet></item>",
      hex_id("r", i), hex_id("i", i), hex_id("ami", i % 5), i % 28 + 1, hex_id("subnet", i % 9), hex_id("vpc", i % 3), i / 250 % 250,
      i % 250, hex_id("sg", i % 50), hex_id("sg", i % 50 + 50), i);
}

std::string log_group(std::size_t i) {
  return fmt::format(
      R"({}{{"arn":"arn:aws:logs:{}:111122223333:log-group:/aws/lambda/function-{}:*","creationTime":{},"logGroupArn":"arn:aws:logs:{}:111122223333:)"
      R"(log-group:/aws/lambda/function-{}","logGroupClass":"STANDARD","logGroupName":"/aws/lambda/function-{}","metricFilterCount":0,"retentionInDays":{},)"
      R"("storedBytes":{}}})",
      i % 50 == 0 ? "" : ",", region, i, 1767225600000 + i, region, i, i, i % 3 * 30 + 30, i * 1000);
}

constexpr std::string_view trust =
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A"
    "%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

std::string role(std::size_t i) {
  return fmt::format(
      "<member><Path>/</Path><RoleName>service-{}</RoleName><RoleId>AROA{:016X}</RoleId><Arn>arn:aws:iam::111122223333:role/service-{}</"
      "Arn>"
      "<CreateDate>2026-01-{:02}T10:00:00Z</CreateDate><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument><InstanceProfileList/"
      "><RolePolicyList/>"
      "<AttachedManagedPolicies><member><PolicyName>ReadOnlyAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess</"
      "PolicyArn></member>"
      "</AttachedManagedPolicies><Tags><member><Key>Team</Key><Value>core</Value></member></Tags></member>",
      i, i, i, i % 28 + 1, trust);
}

std::string user(std::size_t i) {
  return fmt::format(
      "<member><Path>/</Path><UserName>person-{}</UserName><UserId>AIDA{:016X}</UserId><Arn>arn:aws:iam::111122223333:user/person-{}</Arn>"
      "<CreateDate>2026-01-{:02}T10:00:00Z</CreateDate><GroupList><member>engineers</member><member>everybody</member></GroupList>"
      "<AttachedManagedPolicies/><Tags/></member>",
      i, i, i, i % 28 + 1);
}

std::vector<Answer> authorization_details(std::size_t users, std::size_t roles) {
  const auto wrapped = [](std::string_view lists) {
    return Answer{
        fmt::format("<GetAccountAuthorizationDetailsResponse "
                    "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetAccountAuthorizationDetailsResult>"
                    "<IsTruncated>false</IsTruncated>{}</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>",
                    lists),
        "", "", "", ""};
  };
  std::vector<Answer> pages;
  for (auto& page : paged(users, 100, "<UserDetailList>", "</UserDetailList>", user)) pages.push_back(wrapped(page.body));
  for (auto& page : paged(roles, 100, "<RoleDetailList>", "</RoleDetailList>", role)) pages.push_back(wrapped(page.body));
  return pages;
}

Asked of_buckets(std::string operation, std::size_t count, const std::function<std::string(std::size_t)>& body) {
  Asked asked{std::move(operation), "", {}, evidence::Outcome::complete, ""};
  for (std::size_t i = 0; i < count; ++i) asked.requests.push_back(policy_of(fmt::format("bucket-{:06}", i), {body(i), "", "", "", ""}));
  return asked;
}

Collected collection(std::size_t rows) {
  const auto share = [&](double part) { return static_cast<std::size_t>(static_cast<double>(rows) * part); };
  const auto listing = [](std::string operation, std::string where, std::vector<Answer> pages) {
    return Asked{std::move(operation), std::move(where), {{"{}", "", std::move(pages)}}, evidence::Outcome::complete, ""};
  };
  const auto ec2 = [&](const char* name, const char* list, std::size_t count, auto one) {
    return listing(
        fmt::format("ec2:{}", name), region,
        paged(count, 1000,
              fmt::format("<{}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>x</requestId><{}>", name, list),
              fmt::format("</{}></{}Response>", list, name), one));
  };
  const auto buckets = share(0.02);
  Collected run{at("2026-03-01T09:00Z"), {}, "111122223333"};
  run.asked.push_back(ec2("DescribeInstances", "reservationSet", share(0.05), instance));
  run.asked.push_back(ec2("DescribeSecurityGroupRules", "securityGroupRuleSet", share(0.25), rule));
  run.asked.push_back(ec2("DescribeVolumes", "volumeSet", share(0.2), volume));
  run.asked.push_back(listing("iam:GetAccountAuthorizationDetails", "", authorization_details(share(0.02), share(0.03))));
  run.asked.push_back(listing("logs:DescribeLogGroups", region, paged(share(0.15), 50, "{\"logGroups\":[", "]}", log_group)));
  run.asked.push_back(of_buckets("s3:GetBucketEncryption", buckets, [](std::size_t i) {
    return fmt::format(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</"
        "SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:{}:"
        "111122223333:key/{}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>"
        "</ServerSideEncryptionConfiguration>",
        region, i);
  }));
  run.asked.push_back(of_buckets("s3:GetBucketPolicy", buckets, [](std::size_t i) {
    return fmt::format(
        R"({{"Version":"2012-10-17","Statement":[{{"Sid":"tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket-{:06}/*",)"
        R"("Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}})",
        i);
  }));
  run.asked.push_back(of_buckets("s3:GetBucketVersioning", buckets, [](std::size_t i) {
    return fmt::format("<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>", i % 2 ? "Enabled" : "Suspended");
  }));
  std::string list = "<ListAllMyBucketsResult><Buckets>";
  for (std::size_t i = 0; i < buckets; ++i)
    list += fmt::format(
        "<Bucket><Name>bucket-{:06}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate><BucketRegion>{}</BucketRegion></Bucket>", i,
        region);
  run.asked.push_back(listing("s3:ListBuckets", "", {{list + "</Buckets></ListAllMyBucketsResult>", "", "", "", ""}}));
  return run;
}

struct Spent {
  double wall, cpu;
};
Spent now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return {std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
          of(usage.ru_utime) + of(usage.ru_stime)};
}

int run(std::size_t rows) {
  Problems problems;
  const auto catalog = read_fact_catalog(shipped_catalog(), problems);
  Home home;
  auto collected = collection(rows);
  home.collect(collected);
  json::array rebuilds;
  for (int i = 0; i < 3; ++i) {
    const auto before = now();
    const auto done = must(rebuild(home.path(), home.reader(), home.blobs(), models(), catalog));
    const auto after = now();
    rebuilds.push_back(json::object{
        {"rows", done.rows_opened}, {"wall_s", after.wall - before.wall}, {"cpu_s", after.cpu - before.cpu}, {"bodies", done.bodies_read}});
  }
  // A second run that finds nothing new.
  collected.started = collected.started + Duration::days(1);
  home.collect(collected);
  const auto before = now();
  auto facts = must(Facts::open(home.path(), catalog, table::Mode::writing));
  const auto unchanged = must(replay(home.reader(), home.blobs(), models(), facts));
  const auto after = now();
  fmt::print("{}\n", json::serialize(json::object{{"rebuilds", std::move(rebuilds)},
                                                  {"unchanged", json::object{{"bodies", unchanged.bodies_read},
                                                                             {"rows", unchanged.rows_opened},
                                                                             {"wall_s", after.wall - before.wall}}}}));
  return 0;
}

}  // namespace
}  // namespace vouch::facts::test

int main(int argc, char** argv) {
  try {
    return vouch::facts::test::run(argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 300'000);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_facts: {}\n", error.what());
    return 1;
  }
}
