// wire/model_reader.h - one service's model from botocore's JSON. Spec: botocore 1.44.8 model.py.
#pragma once

#include "base/json.h"
#include "wire/models.h"

#include <memory>
#include <string>

namespace vouch::wire {

// `model` is service-2.json, with the paginators as its member `pagination` and the endpoint rule set as `rules`.
Result<std::unique_ptr<Service>> read_model(std::string name, const Json& model);

}  // namespace vouch::wire
