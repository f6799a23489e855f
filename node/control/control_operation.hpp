#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// JSON schemas, as OpenAPI writes them.
namespace schema {

/// One of control_schemas.json.
value named(std::string_view name);
value text(std::string_view example = {});
value one_of(std::vector<std::string_view> words, std::string_view otherwise = {});
value integer();
value flag();
value flag(bool otherwise);
/// Of anything, or of what this schema says.
value list();
value list(value of);
/// Of any members.
value object();
/// Of these members, all of which may be missing but those that are required.
value object(value::map members, std::vector<std::string_view> required = {});
/// The same with a word for people.
value said(value schema, std::string_view words);

}  // namespace schema

struct control_parameter {
  std::string_view name;
  value schema = schema::text();
  std::string_view words = {};  ///< for people
  std::string_view in = "query";
};

/// As "250ms", "5s", "2m": when to answer at the latest.
control_parameter timeout_parameter();

struct control_body {
  value schema = {};  ///< null: there is none
  bool required = true;
  std::string_view words = {};
};

struct control_answer {
  std::string_view words;        ///< what it is, for people
  value schema = {};             ///< null: nothing is said
  std::string_view member = {};  ///< if set, the answer is {member: ...}, and the schema that member's
  std::string_view type = "application/json";
};

/// What one path answers to one method: what a client has to know, and the router. The OpenAPI document is made of it.
struct control_operation {
  std::string_view method;  ///< "GET"
  std::string_view path;    ///< "/v1/nodes/{id}": what stands for the names in it is text
  std::string_view id;      ///< "show_node", of its own among all
  std::string_view summary;
  std::vector<control_parameter> parameters = {};
  control_body body = {};
  control_answer answer;
  std::vector<error_code> errors = {};  ///< to be reckoned with, besides bad_argument
};

}  // namespace flock
