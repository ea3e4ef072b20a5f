// Alone in its file: where the compiler sees both a `new` and these bodies, it inlines one of a
// pair and warns of a mismatch. fec_hostile_test.cpp tests that they count.
#include "core/fec/counting_new.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace sennit {
namespace {

std::atomic<std::size_t> allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  return std::malloc(size > 0 ? size : 1);
}
void* counted(std::size_t size, std::align_val_t align) {
  ++allocations;
  const auto alignment = static_cast<std::size_t>(align);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::size_t allocations_so_far() { return allocations; }

}  // namespace sennit

// Every form is replaced, or a sanitizer's own would meet the others' delete.
void* operator new(std::size_t size) { return sennit::checked(sennit::counted(size)); }
void* operator new[](std::size_t size) { return sennit::checked(sennit::counted(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return sennit::counted(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return sennit::counted(size);
}
void* operator new(std::size_t size, std::align_val_t align) {
  return sennit::checked(sennit::counted(size, align));
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return sennit::checked(sennit::counted(size, align));
}
void* operator new(std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return sennit::counted(size, align);
}
void* operator new[](std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return sennit::counted(size, align);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
