// A queue on one block of memory. A standard deque allocates and frees a block every few packets as
// it moves along; this one only when it has never been so full before.
#pragma once

#include <cstddef>
#include <vector>

namespace sennit {

/// First in, first out, of plain data. Grows by doubling and never shrinks.
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// The i-th from the front, i < size().
  T& operator[](std::size_t i) { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  const T& front() const { return slots_[head_]; }
  const T& back() const { return slots_[(head_ + size_ - 1) & (slots_.size() - 1)]; }
  void push_back(const T& x) {
    if (size_ == slots_.size()) grow();
    slots_[(head_ + size_++) & (slots_.size() - 1)] = x;
  }
  void pop_front() {
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
  }

 private:
  void grow() {
    std::vector<T> larger(slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    slots_.swap(larger);
    head_ = 0;
  }
  std::vector<T> slots_ = std::vector<T>(64);  // a power of two
  std::size_t head_ = 0, size_ = 0;
};

}  // namespace sennit
