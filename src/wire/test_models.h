// wire/test_models.h - a small service in each protocol, for tests and fuzzing: "query", "ec2", "json", "rest-json", "rest-xml", "cbor".
#pragma once

#include "wire/models.h"

#include <fmt/format.h>
#include <string>
#include <utility>

namespace vouch::wire {

inline constexpr std::string_view kTestProtocols[] = {"query", "ec2", "json", "rest-json", "rest-xml", "cbor"};

inline std::string test_models_text() {
  // ListThings has a paginator, ListLoose has none though its answers have tokens, GetThing may answer NoSuchThing.
  constexpr std::string_view kModel =
      R"({{"metadata":{{"apiVersion":"2026-01-01","endpointPrefix":"things","protocol":"{0}","jsonVersion":"1.1","targetPrefix":"Things","serviceId":"{1}","signingName":"things"}},)"
      R"("operations":{{)"
      R"("GetThing":{{"name":"GetThing","http":{{"method":"POST","requestUri":"/things/{{Name}}"}},"input":{{"shape":"GetThingRequest"}},"output":{{"shape":"Thing","resultWrapper":"GetThingResult"}},"errors":[{{"shape":"NoSuchThing"}}]}},)"
      R"("ListThings":{{"name":"ListThings","http":{{"method":"POST","requestUri":"/things"}},"input":{{"shape":"ListThingsRequest"}},"output":{{"shape":"ListThingsResponse","resultWrapper":"ListThingsResult"}}}},)"
      R"("ListLoose":{{"name":"ListLoose","http":{{"method":"POST","requestUri":"/loose"}},"input":{{"shape":"ListThingsRequest"}},"output":{{"shape":"ListThingsResponse","resultWrapper":"ListLooseResult"}}}}}},)"
      R"("pagination":{{"ListThings":{{"input_token":"NextToken","output_token":"NextToken","limit_key":"MaxItems","result_key":"Things"}}}},)"
      R"("shapes":{{"String":{{"type":"string"}},"Integer":{{"type":"integer"}},"Long":{{"type":"long"}},"Double":{{"type":"double"}},"Boolean":{{"type":"boolean"}},"Timestamp":{{"type":"timestamp"}},"Blob":{{"type":"blob"}},)"
      R"("Label":{{"type":"string"}},"Names":{{"type":"list","member":{{"shape":"String"}}}},"Flat":{{"type":"list","flattened":true,"member":{{"shape":"String","locationName":"FlatItem"}}}},)"
      R"("Map":{{"type":"map","key":{{"shape":"String"}},"value":{{"shape":"Integer"}}}},"Things":{{"type":"list","member":{{"shape":"Thing","locationName":"item"}}}},)"
      R"("Thing":{{"type":"structure","members":{{"Name":{{"shape":"String"}},"Count":{{"shape":"Integer"}},"Big":{{"shape":"Long"}},"Ratio":{{"shape":"Double"}},"On":{{"shape":"Boolean"}},"At":{{"shape":"Timestamp"}},"Data":{{"shape":"Blob"}},)"
      R"("Names":{{"shape":"Names"}},"Flat":{{"shape":"Flat"}},"Map":{{"shape":"Map"}},"Inner":{{"shape":"Thing"}}}}}},)"
      R"("NoSuchThing":{{"type":"structure","exception":true,"members":{{}}}},)"
      R"("GetThingRequest":{{"type":"structure","required":["Name"],"members":{{"Name":{{"shape":"Label","location":"uri","locationName":"Name"}},"Filter":{{"shape":"Thing"}}}}}},)"
      R"("ListThingsRequest":{{"type":"structure","members":{{"NextToken":{{"shape":"String"}},"MaxItems":{{"shape":"Integer"}},"Prefix":{{"shape":"String"}}}}}},)"
      R"("ListThingsResponse":{{"type":"structure","members":{{"Things":{{"shape":"Things"}},"NextToken":{{"shape":"String"}},"IsTruncated":{{"shape":"Boolean"}}}}}}}}}})";
  std::string names, lines;
  for (const auto name : kTestProtocols) {
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ",", name);
    lines += fmt::format(kModel, name == "cbor" ? "smithy-rpc-v2-cbor" : name, name) + "\n";
  }
  return fmt::format(R"({{"format":"vouch-models 1","botocore":"test","partitions":null,"services":[{}]}})", names) + "\n" + lines;
}

inline Models test_models() { return std::move(Models::from_text(test_models_text())).value(); }

}  // namespace vouch::wire
