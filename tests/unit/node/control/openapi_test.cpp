#include "node/control/openapi.hpp"

#include "node/daemon_routes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace flock;

namespace {

constexpr auto in_docs = FLOCK_SOURCE_DIR "/docs/control_api.openapi.json";

value document() {
  std::vector<const control_operation*> all;
  each_control_topic([&](const auto& topic) {
    for (const auto& route : topic) all.push_back(&route.is);
  });
  return openapi_document(all);
}

}  // namespace

// FLOCK_UPDATE_DOCUMENTS=1 flock_unit_node -tc='*docs*' writes it anew.
TEST_CASE("the OpenAPI document in docs is the one that a flockd answers with") {
  const auto expected = to_json(document(), 2) + "\n";
  if (std::getenv("FLOCK_UPDATE_DOCUMENTS")) std::ofstream(in_docs) << expected;

  std::ifstream file(in_docs);
  CHECK((std::string(std::istreambuf_iterator<char>(file), {}) == expected));
}

TEST_CASE("each operation tells its id, what it requires and its errors") {
  const auto all = document();

  const auto& call = all["paths"]["/v1/call/{node}/{actor}/{method}"]["post"];
  CHECK(call["operationId"] == value("call_method"));
  CHECK(call["security"] == value(value::list()));
  CHECK(call["responses"]["404"]["description"] == value("not_found, no_such_method"));
  CHECK(call["responses"]["504"]["description"] == value("timeout, maybe_done"));
  CHECK((call["parameters"].as_list()->front() ==
         value(value::map{
             {"name", "node"}, {"in", "path"}, {"required", true}, {"schema", value::map{{"type", "string"}}}})));
  CHECK(call["requestBody"]["required"] == value(false));
}

TEST_CASE("what an operation does not know in its body is said to be refused") {
  const auto all = document();
  const auto& body = all["paths"]["/v1/updated"]["post"]["requestBody"];

  CHECK(body["content"]["application/json"]["schema"]["additionalProperties"] == value(false));
  CHECK(body["required"] == value(true));
}

TEST_CASE("everything that the OpenAPI document refers to is in it") {
  const auto all = document();
  const auto text = to_json(all);
  const std::string mark = R"("$ref":"#/)";

  int found = 0;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1), ++found) {
    auto path = text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
    std::replace(path.begin(), path.end(), '/', '.');
    CHECK_MESSAGE(!all.at_path(path).is_null(), path);
  }
  CHECK(found > 20);
}

TEST_CASE("the OpenAPI document lists the error codes") {
  value::list codes;
  for (auto n = 1; n <= static_cast<int>(last_error_code); ++n)
    codes.emplace_back(to_string(static_cast<error_code>(n)));

  CHECK((document().at_path("components.schemas.failure.properties.error.properties.code.enum") == value(codes)));
}
