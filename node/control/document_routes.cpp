#include "node/control/document_routes.hpp"

#include "node/control/control_exchange.hpp"
#include "node/control/openapi.hpp"

namespace flock {
namespace {

result<void> show_document(control_exchange& x, control_api& api) {
  x.answer()(openapi_document(api.operations()));
  return {};
}

}  // namespace

const control_topic<control_api>& document_routes() {
  static const control_topic<control_api> all = {
      {{.method = "GET",
        .path = "/v1/openapi.json",
        .id = "show_document",
        .summary = "This document",
        .answer = {.words = "OpenAPI", .schema = schema::object()}},
       show_document},
  };
  return all;
}

}  // namespace flock
