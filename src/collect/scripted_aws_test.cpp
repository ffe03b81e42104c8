#include "collect/scripted_aws_test.h"

namespace vouch::collect::test {

namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::map<std::string, std::string> form_of(std::string_view body) {
  std::map<std::string, std::string> form;
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto pair = body.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    form.emplace(percent_decoded(pair.substr(0, equals)), percent_decoded(pair.substr(std::min(equals + 1, pair.size()))));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return form;
}

// service and region stand in the signature's scope.
Asked read(const wire::HttpRequest& request) {
  Asked asked;
  asked.body = request.body;
  const auto& authorization = *wire::find_header(request.headers, "Authorization");
  const auto credential = authorization.substr(authorization.find("Credential=") + 11);
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (parts.size() < 4) {
    const auto slash = credential.find('/', at);
    parts.push_back(credential.substr(at, slash - at));
    at = slash + 1;
  }
  asked.region = parts[2];
  asked.service = parts[3];
  const auto host_begin = request.url.find("://") + 3;
  const auto path_begin = std::min(request.url.find('/', host_begin), request.url.size());
  const auto host = request.url.substr(host_begin, path_begin - host_begin);
  const auto path = request.url.substr(path_begin);
  if (asked.service == "s3") {
    if (const auto s3 = host.find(".s3."); s3 != std::string::npos) asked.bucket = host.substr(0, s3);
    asked.operation = asked.bucket.empty()                        ? "ListBuckets"
                      : path.find("?policy") != std::string::npos ? "GetBucketPolicy"
                                                                  : "GetBucketTagging";
  } else if (asked.service == "lambda") {
    asked.operation = "ListFunctions";
  } else if (const auto* target = wire::find_header(request.headers, "X-Amz-Target")) {
    asked.operation = target->substr(target->find('.') + 1);
  } else {
    asked.form = form_of(request.body);
    asked.operation = asked.form["Action"];
  }
  return asked;
}

std::string query_answer(const std::string& operation, const std::string& result, std::uint64_t id) {
  return fmt::format(
      "<{0}Response><{0}Result>{1}</{0}Result><ResponseMetadata><RequestId>r-{2}</RequestId></ResponseMetadata></{0}Response>", operation,
      result, id);
}

}  // namespace

Reply s3_error(int status, std::string_view code) {
  return {.status = status,
          .body = fmt::format("<Error><Code>{}</Code><Message>m</Message><RequestId>x</RequestId></Error>", code),
          .error = {}};
}
Reply denied_by_s3() { return s3_error(403, "AccessDenied"); }
Reply denied_by_query() {
  return {.status = 403,
          .body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
          .error = {}};
}

std::size_t ScriptedAws::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(asked, [&](const Asked& one) { return one.name() == name; }));
}

Reply ScriptedAws::answer(const Asked& one) const {
  const auto id = request_ids_;
  const auto name = one.name();
  if (const auto found = instead.find(name); found != instead.end()) return found->second(one);
  if (name == "sts:GetCallerIdentity") {
    return {.body = query_answer(
                one.operation,
                fmt::format("<Arn>arn:aws:sts::{0}:assumed-role/vouch/c</Arn><UserId>U</UserId><Account>{0}</Account>", account), id),
            .error = {}};
  }
  if (name == "ec2:DescribeRegions") {
    std::string list;
    for (const auto& region : regions)
      list += fmt::format("<item><regionName>{}</regionName><optInStatus>opt-in-not-required</optInStatus></item>", region);
    return {.body = fmt::format("<DescribeRegionsResponse><requestId>r-{}</requestId><regionInfo>{}</regionInfo></DescribeRegionsResponse>",
                                id, list),
            .error = {}};
  }
  if (name == "s3:ListBuckets") {
    std::string list;
    for (const auto& bucket : buckets)
      list += fmt::format("<Bucket><Name>{}</Name><BucketRegion>eu-central-1</BucketRegion></Bucket>", bucket);
    return {.body = fmt::format("<ListAllMyBucketsResult><Buckets>{}</Buckets></ListAllMyBucketsResult>", list), .error = {}};
  }
  if (name == "s3:GetBucketPolicy") {
    const auto found = policies.find(one.bucket);
    return found == policies.end() ? s3_error(404, "NoSuchBucketPolicy") : Reply{.body = found->second, .error = {}};
  }
  if (name == "s3:GetBucketTagging") {
    return {.body = fmt::format("<Tagging><TagSet><Tag><Key>name</Key><Value>{}</Value></Tag></TagSet></Tagging>", one.bucket),
            .error = {}};
  }
  if (name == "iam:ListUsers") {
    const auto marker = one.form.find("Marker");
    const auto page =
        marker == one.form.end() ? 0u : static_cast<std::size_t>(std::stoul(marker->second.substr(marker->second.rfind('-') + 1)));
    std::string list;
    for (const auto& user : users[page]) list += fmt::format("<member><UserName>{0}</UserName><UserId>AIDA{0}</UserId></member>", user);
    const bool more = page + 1 < users.size();
    // Tokens differ from run to run, as AWS's do.
    return {.body = query_answer(one.operation,
                                 fmt::format("<IsTruncated>{}</IsTruncated>{}<Users>{}</Users>", more,
                                             more ? fmt::format("<Marker>token-{}-{}</Marker>", id, page + 1) : "", list),
                                 id),
            .error = {}};
  }
  if (name == "iam:ListAccessKeys") {
    return {.body = query_answer(one.operation, "<IsTruncated>false</IsTruncated><AccessKeyMetadata/>", id), .error = {}};
  }
  if (name == "kms:ListKeys") {
    json::array list;
    if (const auto found = keys.find(one.region); found != keys.end()) {
      for (const auto& key : found->second) list.push_back(json::object{{"KeyId", key}});
    }
    return {.body = json::serialize(json::object{{"Keys", list}, {"Truncated", false}}), .error = {}};
  }
  if (name == "kms:DescribeKey") {
    return {.body = fmt::format(R"({{"KeyMetadata":{{"KeyId":{},"Enabled":true}}}})", json::serialize(parse_json(one.body)->at("KeyId"))),
            .error = {}};
  }
  if (name == "lambda:ListFunctions") return {.body = fmt::format(R"({{"Functions":{}}})", functions), .error = {}};
  return {.status = 500, .body = "<!doctype html><html><title>500</title></html>", .error = {}};
}

wire::Transport::Id ScriptedAws::submit(wire::HttpRequest request, Done done) {
  pending_.push_back({next_, read(request), std::move(done)});
  return next_++;
}

void ScriptedAws::cancel(Id id) {
  std::erase_if(pending_, [&](const Pending& one) { return one.id == id; });
}

void ScriptedAws::step(Duration longest) {
  if (on_step) on_step();
  if (pending_.empty()) {
    now_.micros += longest.micros;
    return;
  }
  now_.micros += 1000;
  auto one = std::move(pending_.front());
  pending_.pop_front();
  asked.push_back(one.asked);
  ++request_ids_;
  auto reply = answer(one.asked);
  if (reply.error) return one.done(std::unexpected(*reply.error));
  wire::Answer answer;
  answer.status = reply.status;
  answer.body = std::move(reply.body);
  answer.request_id = fmt::format("{:08x}-1234-4321-abcd-{:012x}", static_cast<std::uint32_t>(request_ids_ * 2654435761u),
                                  request_ids_ * 0x9E3779B97F4Aull & 0xFFFFFFFFFFFFull);
  answer.endpoint = fmt::format("https://{}.{}.amazonaws.com", one.asked.service, one.asked.region);
  answer.server_date = Instant{1'770'000'000'000'000};
  answer.simulated = loopback;
  one.done(std::move(answer));
}

CatalogFiles test_catalog() {
  CatalogFiles catalog;
  const auto add = [&](std::string name, std::string text) {
    catalog.files.push_back(
        {.path = "catalog/sources/aws/" + name, .part = "sources/aws/" + name, .text = std::move(text), .shipped = true});
  };
  add("iam.yaml", R"(service: iam
scope: global
operations:
  - operation: ListUsers
    sets: [Users]
  - operation: ListAccessKeys
    for each: user in ListUsers.Users[]
    params: {UserName: $user.UserName}
    key: {user_id: $user.UserId}
    gone: [NoSuchEntity]
)");
  add("kms.yaml", R"(service: kms
scope: region
operations:
  - operation: ListKeys
  - operation: DescribeKey
    for each: key in ListKeys.Keys[]
    params: {KeyId: $key.KeyId}
    key: {key_id: $key.KeyId}
)");
  add("lambda.yaml", R"(service: lambda
scope: region
operations:
  - operation: ListFunctions
    only in: [eu-central-1]
    secret: ["Functions[].Environment.Variables"]
)");
  add("s3.yaml", R"(service: s3
scope: global
operations:
  - operation: ListBuckets
    params: {MaxBuckets: 1000}
    sets: [Buckets]
  - operation: GetBucketPolicy
    for each: bucket in ListBuckets.Buckets[]
    params: {Bucket: $bucket.Name}
    key: {bucket: $bucket.Name}
    region: $bucket.BucketRegion
    absent: [NoSuchBucketPolicy]
    gone: [NoSuchBucket]
  - operation: GetBucketTagging
    for each: bucket in ListBuckets.Buckets[]
    params: {Bucket: $bucket.Name}
    key: {bucket: $bucket.Name}
    absent: [NoSuchTagSet]
)");
  return catalog;
}

}  // namespace vouch::collect::test
