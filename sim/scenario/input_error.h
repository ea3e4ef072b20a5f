// Bad input of the operator, in words.
#pragma once

#include <stdexcept>

namespace sennit {

/// Bad input: one message with file, line, key, what was found and what is allowed. Exit status 2.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sennit
