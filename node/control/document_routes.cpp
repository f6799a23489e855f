#include "node/control/document_routes.hpp"

#include "node/control/control_exchange.hpp"
#include "node/control/openapi.hpp"

namespace flock {
namespace {

result<void> show_document(control_exchange& x, control_document& of) {
  x.answer()(openapi_document(of.api->operations(), of.core.actors().list()));
  return {};
}

}  // namespace

const control_topic<control_document>& document_routes() {
  static const control_topic<control_document> all = {
      {{.method = "GET",
        .path = "/v1/openapi.json",
        .id = "show_document",
        .summary = "This document, with the methods of the actors that this node has now",
        .answer = {.words = "OpenAPI", .schema = schema::object()}},
       show_document},
  };
  return all;
}

}  // namespace flock
