// Loss on the line: independent, or in bursts by the two-state chain of Gilbert (1960).
#pragma once

#include "core/link_model/link_model.h"

namespace sennit {

/// Decides packet by packet, in the order in which they are transmitted.
class LossProcess {
 public:
  LossProcess(const LossModel& model, Rng rng) : rng_(rng) { set_model(model); }
  /// A chain that goes over into another one keeps its state; a new one starts as if it had run
  /// for ever.
  void set_model(const LossModel& model);
  bool next_is_lost() {
    if (!chain_) return loss_ > 0 && rng_.chance(loss_);
    bad_ = bad_ ? !rng_.chance(leave_bad_) : rng_.chance(enter_bad_);
    return bad_;
  }

 private:
  Rng rng_;
  bool chain_ = false;
  bool bad_ = false;
  double loss_ = 0;
  double enter_bad_ = 0, leave_bad_ = 1;
};

}  // namespace sennit
