#include "core/fec/counting_new.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace sennit {
namespace {

std::size_t allocations = 0;

void* checked(void* memory) {
  ++allocations;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::size_t allocations_so_far() { return allocations; }

TEST(CountingNew, every_form_of_new_is_counted) {
  struct alignas(64) Line {
    char bytes[64];
  };
  const std::size_t before = allocations_so_far();
  const auto one = std::make_unique<int>();
  const auto several = std::make_unique<int[]>(100);
  const auto aligned = std::make_unique<Line>();
  const auto aligned_several = std::make_unique<Line[]>(3);
  EXPECT_EQ(allocations_so_far(), before + 4);
}

}  // namespace sennit

// The array and nothrow forms of the standard library call these.
void* operator new(std::size_t size) { return sennit::checked(std::malloc(size > 0 ? size : 1)); }
void* operator new(std::size_t size, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  return sennit::checked(std::aligned_alloc(alignment, whole));
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, std::align_val_t align) { return operator new(size, align); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
