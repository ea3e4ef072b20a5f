// Alone in its file: where the compiler sees both a `new` and these bodies, it inlines one of a
// pair and warns of a mismatch. fec_hostile_test.cpp tests that they count.
#include "core/fec/counting_new.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace sennit {
namespace {

std::atomic<std::size_t> allocations = 0;

void* checked(void* memory) {
  ++allocations;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::size_t allocations_so_far() { return allocations; }

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
