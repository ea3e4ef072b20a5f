#include "core/link_model/loss.h"

#include "core/assert.h"

namespace sennit {

void LossProcess::set_model(const LossModel& model) {
  const auto* const gilbert = std::get_if<GilbertElliott>(&model);
  const auto* const random = std::get_if<RandomLoss>(&model);
  loss_ = random != nullptr ? random->probability : 0;
  SENNIT_ASSERT(loss_ >= 0 && loss_ < 1);
  if (gilbert != nullptr) {
    SENNIT_ASSERT(gilbert->mean >= 0 && gilbert->burst >= 1);
    SENNIT_ASSERT(gilbert->mean <= gilbert->burst / (gilbert->burst + 1));
    // The share of time in the bad state is enter / (enter + leave), and a stay there lasts
    // 1 / leave packets.
    leave_bad_ = 1 / gilbert->burst;
    enter_bad_ = gilbert->mean * leave_bad_ / (1 - gilbert->mean);
    if (!chain_) bad_ = rng_.chance(gilbert->mean);
  }
  chain_ = gilbert != nullptr;
}

}  // namespace sennit
