// wire/models.h - what AWS's services look like: botocore's service models (Apache-2.0; data, read and never copied here).
//
// A model names operations, the shapes that go in and come out, paginators and endpoint rules. The operations that the shipped
// catalogue names are embedded in the binary, with no more than the shapes they reach; all others come from a directory of
// botocore's data, if there is one. Spec: botocore 1.44.8, loaders.py and model.py.
//
// All values are owned by Models and immutable once handed out: they may be read by any thread; loading is not thread-safe.
#pragma once

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vouch::wire {

enum class Protocol { query, ec2, json, rest_json, rest_xml, cbor };
enum class Kind { structure, list, map, string, blob, boolean, integer, real, timestamp };
enum class Location { body, uri, querystring, header, headers, status_code };
enum class TimestampFormat { by_protocol, iso8601, rfc822, unix_seconds };

struct Shape;

// One use of a shape: as the member of a structure, the element of a list, the key or value of a map, or an operation's input
// or output. Traits of the use stand before those of the shape, as botocore merges them.
struct Member {
  std::string name;  // in the model; empty for elements, keys and values
  const Shape* shape = nullptr;
  std::string location_name;   // locationName; empty when none
  std::string query_name;      // queryName (ec2)
  std::string result_wrapper;  // an output's (query)
  std::string namespace_uri;   // xmlNamespace
  std::string namespace_prefix;
  Location location = Location::body;
  TimestampFormat timestamp = TimestampFormat::by_protocol;
  bool flattened = false;
  bool xml_attribute = false;
  bool streaming = false;
  bool idempotency_token = false;
  bool jsonvalue = false;
  bool host_label = false;
  bool event_stream = false;
  std::string context_param;     // the endpoint rules' parameter that takes its value
  const Member* twin = nullptr;  // the next member of the structure that has the same name on the wire

  // locationName, else the model's name.
  [[nodiscard]] const std::string& wire_name() const { return location_name.empty() ? name : location_name; }
};

struct Shape {
  std::string name;
  Kind kind = Kind::structure;
  bool is_exception = false;
  bool is_union = false;
  bool is_document = false;       // free JSON
  bool single_precision = false;  // a real of 32 bits

  std::vector<Member> members;  // of a structure, in the model's order
  std::vector<std::string> required;
  std::string payload;                 // the member that is the whole body; empty when none
  std::unique_ptr<Member> element;     // of a list
  std::unique_ptr<Member> key, value;  // of a map

  std::string error_code;  // an exception's code on the wire, where it differs from the name
  int error_status = 0;

  // Members that travel in the body, by their names in answers.
  std::unordered_map<std::string_view, const Member*> by_wire_name;

  [[nodiscard]] const Member* find(std::string_view member_name) const;
};

struct Paginator {
  std::vector<std::string> input_tokens;
  std::vector<std::string> output_tokens;  // expressions, see paginate.h; parallel to input_tokens
  std::string more_results;                // expression; empty when none
  std::vector<std::string> result_keys;    // expressions; the first is the primary one
  std::string limit_key;                   // the request member for the size of a page
};

struct Operation {
  std::string name;
  std::string http_method = "POST";
  std::string request_uri = "/";
  Member input;  // shape is nullptr when there is none
  Member output;
  std::vector<const Shape*> errors;
  std::string host_prefix;  // "{AccountId}."
  bool unsigned_request = false;
  bool checksum_required = false;
  std::map<std::string, Json> static_context;  // endpoint rule parameters with a fixed value
  std::unique_ptr<Paginator> paginator;        // nullptr when the model has none
};

struct Service {
  std::string name;  // botocore's: "s3", "logs", "cloudwatch"
  std::string service_id;
  std::string api_version;
  std::string endpoint_prefix;
  std::string signing_name;
  std::string global_endpoint;  // older models; empty when none
  std::string target_prefix;
  std::string json_version;
  std::string namespace_uri;
  Protocol protocol = Protocol::json;  // of those the service speaks, the first of ours: json, query, ec2, rest, cbor
  bool query_compatible = false;       // awsQueryCompatible: JSON with error codes as the query protocol spelt them
  Json endpoint_rules;                 // null when the model has none

  // Errc::not_found names the operation and says where it looked.
  [[nodiscard]] Result<const Operation*> operation(std::string_view operation_name) const;

  std::map<std::string, std::unique_ptr<Operation>, std::less<>> operations;
  std::unordered_map<std::string, std::unique_ptr<Shape>> shapes;
};

class Models {
 public:
  // Those in the binary; operations they lack are looked up in `data_directories`, each laid out like botocore/data, in order.
  // Nothing is read yet.
  static Result<Models> open(std::vector<std::filesystem::path> data_directories = {});

  // Those of a text that text() gave, and no others: evidence is read again with the models of its time.
  // Errc::malformed when it is not such a text.
  static Result<Models> from_text(std::string text);

  // $AWS_DATA_PATH (separated by `:`), then ~/.aws/models.
  static std::vector<std::filesystem::path> data_directories();

  Models(Models&&) noexcept;
  Models& operator=(Models&&) noexcept;
  ~Models();

  // Loaded at the first call, then kept; the pointer lives as long as Models (moving Models keeps it).
  // Errc::not_found, Errc::malformed, Errc::unsupported (a protocol that we do not speak).
  Result<const Service*> service(std::string_view name);

  // Service and operation at once; also looks into the data directories when the binary has the service without that operation.
  Result<std::pair<const Service*, const Operation*>> operation(std::string_view service, std::string_view operation);

  // Names of the services that are in the binary (or the text).
  [[nodiscard]] std::vector<std::string> embedded_services() const;

  // What was embedded: canonical JSON, one service a line after a line of version, partitions and endpoints. It is what a
  // ledger keeps to read its evidence again.
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] const Digest& digest() const;

  [[nodiscard]] const Json& partitions() const;  // botocore's partitions.json

 private:
  struct State;
  explicit Models(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vouch::wire
