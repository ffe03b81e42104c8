// What only the service models can tell about a source file: is there such an operation, and has it such members?
#include "collect/source.h"
#include "wire/models.h"

#include <set>

namespace vouch::collect {

namespace {

// The shape that a path of an answer ends at; fails where the model knows no such member. Where the model says nothing (documents,
// maps below their key) everything is right.
Result<const wire::Shape*> walk(const wire::Shape* shape, const Path& path, bool lenient_lists) {
  for (const auto& step : path) {
    if (!shape || shape->is_document) return nullptr;
    if (step.kind == Step::Kind::member) {
      while (lenient_lists && shape && shape->kind == wire::Kind::list) shape = shape->element ? shape->element->shape : nullptr;
      if (!shape) return nullptr;
      if (shape->kind == wire::Kind::map) {
        shape = shape->value ? shape->value->shape : nullptr;
        continue;
      }
      if (shape->kind != wire::Kind::structure) return fail(Errc::config, "`{}`: nothing is beneath a {}", to_string(path), shape->name);
      const auto* member = shape->find(step.member);
      if (!member) return fail(Errc::config, "`{}`: {} has no member `{}`", to_string(path), shape->name, step.member);
      shape = member->shape;
    } else {
      if (shape->kind != wire::Kind::list) return fail(Errc::config, "`{}`: {} is no list", to_string(path), shape->name);
      shape = shape->element ? shape->element->shape : nullptr;
    }
  }
  return shape;
}

Result<> check_params(const wire::Operation& model, const SourceOperation& operation) {
  const auto* written = operation.params.written().if_object();
  const wire::Shape* input = model.input.shape;
  for (const auto& [name, value] : *written) {
    if (!input || !input->find(std::string_view(name)))
      return fail(Errc::config, "`{}` is no param of {}", std::string_view(name), operation.name());
  }
  if (!input) return {};
  for (const auto& required : input->required) {
    const auto* member = input->find(required);
    if (!written->contains(required) && !(member && member->idempotency_token)) {
      return fail(Errc::config, "{} demands the param `{}`", operation.name(), required);
    }
  }
  return {};
}

Result<> check_operation(const SourceOperation& operation, const Source& source, wire::Models& models) {
  const auto [service, model] = TRY(models.operation(operation.service, operation.operation));
  TRY(check_params(*model, operation));
  const wire::Shape* output = model->output.shape;
  for (const auto* paths : {&operation.volatiles, &operation.sets, &operation.secrets}) {
    for (const auto& path : *paths) TRY(walk(output, path, true));
  }
  if (operation.until) TRY(walk(output, operation.until->first, false));
  if (!operation.for_each) return {};

  const auto* parent = source.find(operation.for_each->operation);
  const auto parent_model = TRY(models.operation(parent->service, parent->operation)).second;
  const auto* element = TRY(walk(parent_model->output.shape, operation.for_each->path, false));
  if (element && element->kind == wire::Kind::list)
    return fail(Errc::config, "`{}` is a list: `[]` is missing behind it", to_string(operation.for_each->path));
  auto expressions = operation.params.expressions();
  const auto add = [&](const Template& written) { std::ranges::copy(written.expressions(), std::back_inserter(expressions)); };
  add(operation.key);
  add(operation.recorded);
  std::ranges::for_each(operation.only_if, add);
  if (operation.region) expressions.push_back(*operation.region);
  std::vector elements{element};
  if (operation.again_for) elements.push_back(TRY(walk(output, *operation.again_for, false)));
  for (const auto& expression : expressions) {
    if (expression.root != operation.for_each->variable) continue;
    for (const auto* each : elements) TRY_WITHIN(walk(each, expression.path, false), "${}", expression.root);
  }
  return {};
}

}  // namespace

void check_against_models(SourceCatalog& catalog, wire::Models& models, Problems& problems) {
  for (auto& source : catalog.sources) {
    if (source.http) continue;
    std::set<std::string> left_out;
    // Operations stand behind those that they need, so one pass finds all that fall with them.
    for (const auto& operation : source.operations) {
      const auto needs_one = [&](const std::string& name) { return !name.empty() && left_out.contains(name); };
      auto checked = needs_one(operation.after) || (operation.for_each && needs_one(operation.for_each->operation))
                         ? fail(Errc::config, "{} needs an operation that can't be used", operation.name())
                         : check_operation(operation, source, models);
      if (checked) continue;
      problems.push_back({Errc::config, fmt::format("{}: {}", operation.where, checked.error().message)});
      left_out.insert(operation.name());
    }
    std::erase_if(source.operations, [&](const SourceOperation& operation) { return left_out.contains(operation.name()); });
  }
}

}  // namespace vouch::collect
